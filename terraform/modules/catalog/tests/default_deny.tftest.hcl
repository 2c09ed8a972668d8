mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }
}

variables {
  prefix          = "stedi-dev"
  database_prefix = "stedi_dev"
  zones = {
    landing = { bucket = "stedi-dev-landing", bucket_arn = "arn:aws:s3:::stedi-dev-landing", key_arn = "arn:aws:kms:eu-west-1:111122223333:key/landing" }
    trusted = { bucket = "stedi-dev-trusted", bucket_arn = "arn:aws:s3:::stedi-dev-trusted", key_arn = "arn:aws:kms:eu-west-1:111122223333:key/trusted" }
    curated = { bucket = "stedi-dev-curated", bucket_arn = "arn:aws:s3:::stedi-dev-curated", key_arn = "arn:aws:kms:eu-west-1:111122223333:key/curated" }
  }
  optimizers = { enabled = true, snapshot_days = { landing = 20, trusted = 4, curated = 5 } }
}

run "contracts" {
  module {
    source = "./tests/contracts"
  }
}

run "new_tables_are_nobodys" {
  command = plan
  variables {
    contracts = run.contracts.all
  }

  assert {
    condition     = alltrue([for database in aws_glue_catalog_database.zone : length(database.create_table_default_permission) == 0])
    error_message = "A database must give its new tables to nobody by default."
  }
}
