name              = "stedi-dev-customer-landing-to-trusted"
description       = "Makes customer_trusted."
script            = "s3://artifacts/jobs/customer_landing_to_trusted.py"
wheels            = "s3://artifacts/stedi.gluewheels.zip"
artifacts_arn     = ["arn:aws:s3:::artifacts/jobs/customer_landing_to_trusted.py", "arn:aws:s3:::artifacts/stedi.gluewheels.zip"]
artifacts_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/operations"
reads = [{
  arn          = "arn:aws:glue:eu-west-1:111122223333:table/stedi_dev_landing/customer_landing"
  database_arn = "arn:aws:glue:eu-west-1:111122223333:database/stedi_dev_landing"
  catalog_arn  = "arn:aws:glue:eu-west-1:111122223333:catalog"
  bucket_arn   = "arn:aws:s3:::landing"
  prefix       = "landing/customer_landing/"
  key_arn      = "arn:aws:kms:eu-west-1:111122223333:key/landing"
}]
writes = [{
  arn          = "arn:aws:glue:eu-west-1:111122223333:table/stedi_dev_trusted/customer_trusted"
  database_arn = "arn:aws:glue:eu-west-1:111122223333:database/stedi_dev_trusted"
  catalog_arn  = "arn:aws:glue:eu-west-1:111122223333:catalog"
  bucket_arn   = "arn:aws:s3:::trusted"
  prefix       = "trusted/customer_trusted/"
  key_arn      = "arn:aws:kms:eu-west-1:111122223333:key/trusted"
}]
secret = {
  arn     = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:pseudonym-key-AbCdEf"
  key_arn = "arn:aws:kms:eu-west-1:111122223333:key/operations"
}
arguments   = { "--lake" = "s3://stedi-dev-{zone}-111122223333", "--database_prefix" = "stedi_dev" }
log_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/operations"
log_days    = 30
