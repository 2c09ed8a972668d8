# A project's own source and table are two contracts and a function: all else follows, as it does for the package's.

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
  pseudonym_key = {
    arn     = "arn:aws:secretsmanager:us-east-1:000000000000:secret:key"
    key_arn = "arn:aws:kms:us-east-1:000000000000:key/key"
  }
  prefix              = "stedi-dev"
  environment         = "dev"
  layout              = "job-per-table"
  deletion_protection = false
  schedule            = { expression = "cron(0 2 * * ? *)" }
  sources             = { wheels = "./tests/empty.gluewheels.zip", project = "./tests/heart_rate" }
}

run "without_it" {
  command = plan
  variables {
    sources = { wheels = "./tests/empty.gluewheels.zip" }
  }

  assert {
    condition     = length(local.contracts) == 10 && length(local.jobs) == 9 && module.artifacts.project == null
    error_message = "expected nothing that nobody has asked for."
  }
}

run "all_follows_from_its_contracts" {
  command = plan

  assert {
    condition = jsonencode(local.stages[*].steps) == jsonencode([
      ["land_customer"],
      ["remove_withdrawn", "land_accelerometer", "land_heart_rate", "land_step_trainer"],
      ["customer_landing_to_trusted"],
      ["accelerometer_landing_to_trusted", "heart_rate_landing_to_trusted"],
      ["customer_trusted_to_curated"],
      ["step_trainer_landing_to_trusted"],
      ["machine_learning_curated"],
    ])
    error_message = "expected the source to land beside the others, and its table to be made when all that it is made from is."
  }

  assert {
    condition     = toset(keys(local.jobs)) == setunion(keys(run.without_it.jobs), ["land_heart_rate", "heart_rate_landing_to_trusted"])
    error_message = "expected a job that lands it, and one that makes its table."
  }

  assert {
    condition = (
      local.jobs.land_heart_rate.arguments["--source"] == "heart_rate" &&
      toset(local.jobs.land_heart_rate.writes) == toset(["heart_rate_landing", "landed_files", "rejected_records"]) &&
      local.jobs.land_heart_rate.drops == "heart_rate/" && output.drops.heart_rate == "s3://stedi-dev-drops-111122223333/heart_rate/"
    )
    error_message = "expected it to land from a folder of its own."
  }

  assert {
    condition = (
      local.jobs.heart_rate_landing_to_trusted.script == "make_table" &&
      local.jobs.heart_rate_landing_to_trusted.arguments["--job"] == "heart_rate_landing_to_trusted"
    )
    error_message = "expected its table to be made by the script of all tables that have none of their own."
  }

  assert {
    condition     = contains(local.jobs.remove_withdrawn.writes, "heart_rate_trusted")
    error_message = "expected withdrawn rows to be deleted from its table, too."
  }

  assert {
    condition     = toset(local.jobs.remove_withdrawn.reads) == toset(["customer_landing", "heart_rate_landing", "landed_files"])
    error_message = "expected the deletion to read what landed where its table's rows lack a column of it, and no other readings."
  }

  assert {
    condition     = length(module.artifacts.project[*]) == 1 && contains(module.artifacts.object_arns, replace(module.artifacts.project, "s3://", "arn:aws:s3:::"))
    error_message = "expected its package among the objects that jobs may read."
  }

  assert {
    condition = (
      toset(local.jobs.heart_rate_landing_to_trusted.reads) == toset(["heart_rate_landing", "customer_trusted"]) &&
      local.jobs.heart_rate_landing_to_trusted.writes == ["heart_rate_trusted"]
    )
    error_message = "expected its job to read what the contract says, and to write its table."
  }

  assert {
    condition = (
      contains(module.access.readable_tables.privacy_officer, "heart_rate_landing") &&
      contains(module.access.readable_tables.privacy_officer, "heart_rate_trusted") &&
      !contains(module.access.readable_tables.researcher, "heart_rate_trusted") && !contains(module.access.readable_tables.engineer, "heart_rate_landing")
    )
    error_message = "expected what its classification says: personal data are the privacy officer's."
  }

  assert {
    condition = (
      module.catalog.tables["heart_rate_landing"].database == "stedi_dev_landing" &&
      module.catalog.tables["heart_rate_trusted"].database == "stedi_dev_trusted"
    )
    error_message = "expected its tables in the databases of their zones."
  }
}

run "it_may_be_made_in_one_job" {
  command = plan
  variables { layout = "one-job" }

  assert {
    condition     = contains(local.jobs.lakehouse.writes, "heart_rate_trusted") && contains(local.jobs.lakehouse.makes, "heart_rate_landing")
    error_message = "expected the one job to write its tables."
  }
}
