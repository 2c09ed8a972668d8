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

run "optimizers_may_do_what_aws_asks_for" {
  command = plan
  variables {
    contracts = run.contracts.all
  }

  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.optimizer[0].policy).Statement : statement.Sid => statement.Action
      } == {
      FilesOfTables    = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
      FindOrphans      = ["s3:ListBucket"]
      CommitToTables   = ["glue:GetTable", "glue:UpdateTable"]
      KeysOfZones      = ["kms:Decrypt", "kms:GenerateDataKey"]
      AskLakeFormation = ["lakeformation:GetDataAccess"]
      Log              = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
    }
    error_message = "The optimizers must be allowed what AWS documents and no more."
  }

  assert {
    condition     = alltrue([for statement in jsondecode(aws_iam_role_policy.optimizer[0].policy).Statement : statement.Effect == "Allow"])
    error_message = "The optimizers' policy must only allow."
  }
}

run "on_these_tables_only" {
  command = plan
  variables {
    contracts = { for name in ["customer_landing", "customer_trusted"] : name => run.contracts.all[name] }
  }

  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.optimizer[0].policy).Statement : statement.Sid => toset(statement.Resource) if statement.Sid != "AskLakeFormation"
      } == {
      FilesOfTables = toset(["arn:aws:s3:::stedi-dev-landing/landing/customer_landing/*", "arn:aws:s3:::stedi-dev-trusted/trusted/customer_trusted/*"])
      FindOrphans   = toset(["arn:aws:s3:::stedi-dev-landing", "arn:aws:s3:::stedi-dev-trusted", "arn:aws:s3:::stedi-dev-curated"])
      CommitToTables = toset([
        "arn:aws:glue:eu-west-1:111122223333:catalog",
        "arn:aws:glue:eu-west-1:111122223333:database/stedi_dev_landing", "arn:aws:glue:eu-west-1:111122223333:database/stedi_dev_trusted",
        "arn:aws:glue:eu-west-1:111122223333:table/stedi_dev_landing/customer_landing", "arn:aws:glue:eu-west-1:111122223333:table/stedi_dev_trusted/customer_trusted",
      ])
      KeysOfZones = toset(["arn:aws:kms:eu-west-1:111122223333:key/landing", "arn:aws:kms:eu-west-1:111122223333:key/trusted", "arn:aws:kms:eu-west-1:111122223333:key/curated"])
      Log = toset([
        "arn:aws:logs:eu-west-1:111122223333:log-group:/aws-glue/iceberg-compaction/logs:*",
        "arn:aws:logs:eu-west-1:111122223333:log-group:/aws-glue/iceberg-retention/logs:*",
        "arn:aws:logs:eu-west-1:111122223333:log-group:/aws-glue/iceberg-orphan-file-deletion/logs:*",
      ])
    }
    error_message = "The optimizers must reach the contracts' tables, their buckets, their keys and their own logs, and nothing else."
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.optimizer[0].policy).Statement : statement.Condition if can(statement.Condition)
    ] == [{ StringEquals = { "kms:ViaService" = "s3.eu-west-1.amazonaws.com" } }]
    error_message = "The keys must be for S3 alone."
  }
}

run "glue_of_this_account_acts_as_the_optimizers" {
  command = plan
  variables {
    contracts = run.contracts.all
  }

  assert {
    condition = jsondecode(aws_iam_role.optimizer[0].assume_role_policy).Statement == [{
      Effect    = "Allow"
      Principal = { Service = "glue.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = "111122223333" } }
    }]
    error_message = "Glue, for this account, must be the only one that acts as the optimizers."
  }
}
