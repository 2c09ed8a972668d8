name = "stedi-dev"
stages = [
  {
    goes_on = true
    jobs = [
      { job = "stedi-dev-land-customer", job_arn = "arn:aws:glue:eu-west-1:111122223333:job/stedi-dev-land-customer", table = "customer_landing" },
      { job = "stedi-dev-land-accelerometer", job_arn = "arn:aws:glue:eu-west-1:111122223333:job/stedi-dev-land-accelerometer", table = "accelerometer_landing", arguments = { "--day" = "1" } },
    ]
  },
  {
    jobs = [
      { job = "stedi-dev-people", job_arn = "arn:aws:glue:eu-west-1:111122223333:job/stedi-dev-people", table = "people", tables = ["customer_trusted", "customers_curated"] },
    ]
  },
  {
    jobs = [
      { job = "stedi-dev-pairs", job_arn = "arn:aws:glue:eu-west-1:111122223333:job/stedi-dev-pairs", table = "machine_learning_curated" },
    ]
  },
]
said_once   = ["without_address"]
topic       = { arn = "arn:aws:sns:eu-west-1:111122223333:alarms", key_arn = "arn:aws:kms:eu-west-1:111122223333:key/operations" }
log_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/operations"
log_days    = 30
