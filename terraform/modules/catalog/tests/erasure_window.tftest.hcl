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

run "old_snapshots_end" {
  command = plan
  variables {
    contracts = run.contracts.all
  }

  assert {
    condition = {
      for name, retention in aws_glue_catalog_table_optimizer.retention : name => retention.configuration[0].retention_configuration[0].iceberg_configuration[0]
      } == {
      for name, table in output.tables : name => {
        snapshot_retention_period_in_days = { landing = 20, trusted = 4, curated = 5 }[table.zone]
        number_of_snapshots_to_retain     = 1
        clean_expired_files               = true
      }
    }
    error_message = "Every table must end its old snapshots with their files after its zone's days, and keep but the current one."
  }
}

run "orphans_go_and_small_files_are_joined" {
  command = plan
  variables {
    contracts = run.contracts.all
  }

  assert {
    condition = alltrue([
      for name in keys(run.contracts.all) :
      aws_glue_catalog_table_optimizer.orphan_file_deletion[name].configuration[0].orphan_file_deletion_configuration[0].iceberg_configuration[0].orphan_file_retention_period_in_days == 3
    ])
    error_message = "Files that no snapshot knows must go: what they hold is as personal as what the table holds."
  }

  assert {
    condition = alltrue(flatten([
      for optimizers in [aws_glue_catalog_table_optimizer.compaction, aws_glue_catalog_table_optimizer.retention, aws_glue_catalog_table_optimizer.orphan_file_deletion] : [
        for name in keys(run.contracts.all) :
        optimizers[name].configuration[0].enabled && optimizers[name].table_name == name && optimizers[name].database_name == output.tables[name].database && optimizers[name].catalog_id == "111122223333"
      ]
    ]))
    error_message = "Every optimizer must be on, and on its table."
  }
}

run "nobody_looks_after_tables_where_they_are_off" {
  command = plan
  variables {
    contracts  = run.contracts.all
    optimizers = { enabled = false, snapshot_days = { landing = 20, trusted = 4, curated = 5 } }
  }

  assert {
    condition = length(concat(
      keys(aws_glue_catalog_table_optimizer.compaction), keys(aws_glue_catalog_table_optimizer.retention), keys(aws_glue_catalog_table_optimizer.orphan_file_deletion), aws_iam_role.optimizer[*].name,
    )) == 0 && output.optimizer_role_arn == null
    error_message = "Without optimizers there must be no role for them."
  }
}

run "a_withdrawn_person_may_not_stay_longer" {
  command = plan
  variables {
    contracts  = run.contracts.all
    optimizers = { enabled = true, snapshot_days = { landing = 20, trusted = 7, curated = 4 } }
  }
  expect_failures = [var.optimizers]
}

run "nor_in_what_is_made_of_it" {
  command = plan
  variables {
    contracts  = run.contracts.all
    optimizers = { enabled = true, snapshot_days = { landing = 20, trusted = 4, curated = 7 } }
  }
  expect_failures = [var.optimizers]
}

run "an_erased_person_may_not_stay_longer" {
  command = plan
  variables {
    contracts  = run.contracts.all
    optimizers = { enabled = true, snapshot_days = { landing = 30, trusted = 4, curated = 4 } }
  }
  expect_failures = [var.optimizers]
}

run "every_zone_has_its_days" {
  command = plan
  variables {
    contracts  = run.contracts.all
    optimizers = { enabled = true, snapshot_days = { landing = 20, trusted = 4 } }
  }
  expect_failures = [var.optimizers]
}
