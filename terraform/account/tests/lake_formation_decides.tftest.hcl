mock_provider "aws" {}

variables {
  lake_admins = ["arn:aws:iam::111122223333:role/deployer"]
}

run "nobody_has_anything_new_by_default" {
  command = plan

  assert {
    condition = (
      length(aws_lakeformation_data_lake_settings.this.create_database_default_permissions) == 0 &&
      length(aws_lakeformation_data_lake_settings.this.create_table_default_permissions) == 0
    )
    error_message = "A new database or table must have no grants."
  }
}

run "only_those_named_administer" {
  command = plan

  assert {
    condition     = aws_lakeformation_data_lake_settings.this.admins == toset(["arn:aws:iam::111122223333:role/deployer"])
    error_message = "Nobody else may administer the lake."
  }
}

run "somebody_must" {
  command = plan
  variables {
    lake_admins = []
  }
  expect_failures = [var.lake_admins]
}

run "no_service_or_account" {
  command = plan
  variables {
    lake_admins = ["111122223333"]
  }
  expect_failures = [var.lake_admins]
}
