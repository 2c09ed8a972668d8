# A lake of seven tables, two jobs and three roles: what every test here starts from.

prefix = "stedi-dev"

tables = {
  customer_landing = {
    name           = "customer_landing"
    zone           = "landing"
    database       = "stedi_dev_landing"
    arn            = "arn:aws:glue:eu-west-1:111122223333:table/stedi_dev_landing/customer_landing"
    database_arn   = "arn:aws:glue:eu-west-1:111122223333:database/stedi_dev_landing"
    catalog_arn    = "arn:aws:glue:eu-west-1:111122223333:catalog"
    bucket_arn     = "arn:aws:s3:::stedi-dev-landing-111122223333"
    prefix         = "landing/customer_landing/"
    key_arn        = "arn:aws:kms:eu-west-1:111122223333:key/landing"
    classification = "pii"
  }
  landed_files = {
    name           = "landed_files"
    zone           = "landing"
    database       = "stedi_dev_landing"
    arn            = "arn:aws:glue:eu-west-1:111122223333:table/stedi_dev_landing/landed_files"
    database_arn   = "arn:aws:glue:eu-west-1:111122223333:database/stedi_dev_landing"
    catalog_arn    = "arn:aws:glue:eu-west-1:111122223333:catalog"
    bucket_arn     = "arn:aws:s3:::stedi-dev-landing-111122223333"
    prefix         = "landing/landed_files/"
    key_arn        = "arn:aws:kms:eu-west-1:111122223333:key/landing"
    classification = "internal"
  }
  rejected_records = {
    name           = "rejected_records"
    zone           = "landing"
    database       = "stedi_dev_landing"
    arn            = "arn:aws:glue:eu-west-1:111122223333:table/stedi_dev_landing/rejected_records"
    database_arn   = "arn:aws:glue:eu-west-1:111122223333:database/stedi_dev_landing"
    catalog_arn    = "arn:aws:glue:eu-west-1:111122223333:catalog"
    bucket_arn     = "arn:aws:s3:::stedi-dev-landing-111122223333"
    prefix         = "landing/rejected_records/"
    key_arn        = "arn:aws:kms:eu-west-1:111122223333:key/landing"
    classification = "pseudonymous"
  }
  customer_trusted = {
    name           = "customer_trusted"
    zone           = "trusted"
    database       = "stedi_dev_trusted"
    arn            = "arn:aws:glue:eu-west-1:111122223333:table/stedi_dev_trusted/customer_trusted"
    database_arn   = "arn:aws:glue:eu-west-1:111122223333:database/stedi_dev_trusted"
    catalog_arn    = "arn:aws:glue:eu-west-1:111122223333:catalog"
    bucket_arn     = "arn:aws:s3:::stedi-dev-trusted-111122223333"
    prefix         = "trusted/customer_trusted/"
    key_arn        = "arn:aws:kms:eu-west-1:111122223333:key/trusted"
    classification = "pii"
  }
  accelerometer_trusted = {
    name           = "accelerometer_trusted"
    zone           = "trusted"
    database       = "stedi_dev_trusted"
    arn            = "arn:aws:glue:eu-west-1:111122223333:table/stedi_dev_trusted/accelerometer_trusted"
    database_arn   = "arn:aws:glue:eu-west-1:111122223333:database/stedi_dev_trusted"
    catalog_arn    = "arn:aws:glue:eu-west-1:111122223333:catalog"
    bucket_arn     = "arn:aws:s3:::stedi-dev-trusted-111122223333"
    prefix         = "trusted/accelerometer_trusted/"
    key_arn        = "arn:aws:kms:eu-west-1:111122223333:key/trusted"
    classification = "pii"
  }
  customers_curated = {
    name           = "customers_curated"
    zone           = "curated"
    database       = "stedi_dev_curated"
    arn            = "arn:aws:glue:eu-west-1:111122223333:table/stedi_dev_curated/customers_curated"
    database_arn   = "arn:aws:glue:eu-west-1:111122223333:database/stedi_dev_curated"
    catalog_arn    = "arn:aws:glue:eu-west-1:111122223333:catalog"
    bucket_arn     = "arn:aws:s3:::stedi-dev-curated-111122223333"
    prefix         = "curated/customers_curated/"
    key_arn        = "arn:aws:kms:eu-west-1:111122223333:key/curated"
    classification = "pii"
  }
  machine_learning_curated = {
    name           = "machine_learning_curated"
    zone           = "curated"
    database       = "stedi_dev_curated"
    arn            = "arn:aws:glue:eu-west-1:111122223333:table/stedi_dev_curated/machine_learning_curated"
    database_arn   = "arn:aws:glue:eu-west-1:111122223333:database/stedi_dev_curated"
    catalog_arn    = "arn:aws:glue:eu-west-1:111122223333:catalog"
    bucket_arn     = "arn:aws:s3:::stedi-dev-curated-111122223333"
    prefix         = "curated/machine_learning_curated/"
    key_arn        = "arn:aws:kms:eu-west-1:111122223333:key/curated"
    classification = "pseudonymous"
  }
}

databases = {
  landing = "stedi_dev_landing"
  trusted = "stedi_dev_trusted"
  curated = "stedi_dev_curated"
}

jobs = {
  land_customer = {
    arn        = "arn:aws:glue:eu-west-1:111122223333:job/stedi-dev-land-customer"
    role_arn   = "arn:aws:iam::111122223333:role/stedi-dev-land-customer"
    log_groups = { output = "/aws-glue/jobs/stedi-dev-land-customer/output", error = "/aws-glue/jobs/stedi-dev-land-customer/error" }
    reads      = []
    writes     = ["customer_landing", "rejected_records", "landed_files"]
  }
  customer_landing_to_trusted = {
    arn        = "arn:aws:glue:eu-west-1:111122223333:job/stedi-dev-customer-landing-to-trusted"
    role_arn   = "arn:aws:iam::111122223333:role/stedi-dev-customer-landing-to-trusted"
    log_groups = { output = "/aws-glue/jobs/stedi-dev-customer-landing-to-trusted/output", error = "/aws-glue/jobs/stedi-dev-customer-landing-to-trusted/error" }
    reads      = ["customer_landing"]
    writes     = ["customer_trusted"]
  }
}

state_machine_arn = "arn:aws:states:eu-west-1:111122223333:stateMachine:stedi-dev"
optimizer         = { role_arn = "arn:aws:iam::111122223333:role/stedi-dev-optimizer" }

workgroups = {
  researcher = {
    arn = "arn:aws:athena:eu-west-1:111122223333:workgroup/stedi-dev-researcher"
    results = {
      bucket_arn = "arn:aws:s3:::stedi-dev-results-111122223333"
      prefix     = "researcher/"
      key_arn    = "arn:aws:kms:eu-west-1:111122223333:key/operations"
    }
  }
  engineer = {
    arn = "arn:aws:athena:eu-west-1:111122223333:workgroup/stedi-dev-engineer"
    results = {
      bucket_arn = "arn:aws:s3:::stedi-dev-results-111122223333"
      prefix     = "engineer/"
      key_arn    = "arn:aws:kms:eu-west-1:111122223333:key/operations"
    }
  }
  privacy_officer = {
    arn = "arn:aws:athena:eu-west-1:111122223333:workgroup/stedi-dev-privacy-officer"
    results = {
      bucket_arn = "arn:aws:s3:::stedi-dev-results-111122223333"
      prefix     = "privacy_officer/"
      key_arn    = "arn:aws:kms:eu-west-1:111122223333:key/operations"
    }
  }
}

principals = {
  researcher      = ["arn:aws:iam::111122223333:role/researchers"]
  engineer        = ["arn:aws:iam::111122223333:role/engineers"]
  privacy_officer = ["arn:aws:iam::111122223333:role/privacy_officers"]
}
