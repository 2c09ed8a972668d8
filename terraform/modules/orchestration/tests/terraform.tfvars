name = "stedi-dev"
stages = [
  [
    { job = "stedi-dev-land-customer", job_arn = "arn:aws:glue:eu-west-1:111122223333:job/stedi-dev-land-customer", table = "customer_landing" },
    { job = "stedi-dev-land-accelerometer", job_arn = "arn:aws:glue:eu-west-1:111122223333:job/stedi-dev-land-accelerometer", table = "accelerometer_landing", arguments = { "--day" = "1" } },
  ],
  [
    { job = "stedi-dev-rest", job_arn = "arn:aws:glue:eu-west-1:111122223333:job/stedi-dev-rest", table = "rest", tables = ["customer_trusted", "customers_curated"] },
  ],
]
topic       = { arn = "arn:aws:sns:eu-west-1:111122223333:alarms", key_arn = "arn:aws:kms:eu-west-1:111122223333:key/operations" }
log_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/operations"
log_days    = 30
