# One job that lands a source, and one that makes two tables of it: what every test here starts from.

prefix            = "stedi-dev"
key_arn           = "arn:aws:kms:eu-west-1:111122223333:key/operations"
emails            = ["ops@example.com"]
state_machine_arn = "arn:aws:states:eu-west-1:111122223333:stateMachine:stedi-dev"
doubted           = ["customer_landing"]
late_hours        = 26
rejected_share    = 0.05

jobs = {
  land_customer = {
    log_group = "/aws-glue/jobs/land-customer/output"
    tables    = ["customer_landing", "rejected_records", "landed_files"]
  }
  customers = {
    log_group = "/aws-glue/jobs/customers/output"
    tables    = ["customer_trusted", "customers_curated"]
  }
}
