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

run "a_job_is_granted_what_it_does" {
  command = plan

  assert {
    condition = {
      for name, grant in aws_lakeformation_permissions.job_tables :
      name => "${grant.principal} ${one(grant.table).database_name} ${join(",", sort(grant.permissions))}"
      } == {
      "land_customer/customer_landing"               = "arn:aws:iam::111122223333:role/stedi-dev-land-customer stedi_dev_landing ALTER,DELETE,DESCRIBE,INSERT,SELECT"
      "land_customer/landed_files"                   = "arn:aws:iam::111122223333:role/stedi-dev-land-customer stedi_dev_landing ALTER,DELETE,DESCRIBE,INSERT,SELECT"
      "land_customer/rejected_records"               = "arn:aws:iam::111122223333:role/stedi-dev-land-customer stedi_dev_landing ALTER,DELETE,DESCRIBE,INSERT,SELECT"
      "customer_landing_to_trusted/customer_landing" = "arn:aws:iam::111122223333:role/stedi-dev-customer-landing-to-trusted stedi_dev_landing DESCRIBE,SELECT"
      "customer_landing_to_trusted/customer_trusted" = "arn:aws:iam::111122223333:role/stedi-dev-customer-landing-to-trusted stedi_dev_trusted ALTER,DELETE,DESCRIBE,INSERT,SELECT"
    }
    error_message = "A job must be granted reading of what it reads and writing of what it writes."
  }
}

run "what_is_read_and_written_is_granted_once" {
  command = plan
  variables {
    jobs = {
      lakehouse = {
        arn        = "arn:aws:glue:eu-west-1:111122223333:job/stedi-dev-lakehouse"
        role_arn   = "arn:aws:iam::111122223333:role/stedi-dev-lakehouse"
        log_groups = { output = "o", error = "e" }
        reads      = ["customer_landing"]
        writes     = ["customer_landing"]
      }
    }
  }

  assert {
    condition     = { for name, grant in aws_lakeformation_permissions.job_tables : name => contains(grant.permissions, "INSERT") } == { "lakehouse/customer_landing" = true }
    error_message = "Two grants to one role on one table would undo each other."
  }
}

run "a_session_sees_the_databases" {
  command = plan

  assert {
    condition = alltrue([
      for name in concat(keys(var.jobs), ["optimizer"]) :
      aws_lakeformation_permissions.machine_databases[name].permissions == toset(["DESCRIBE"]) &&
      one(one(aws_lakeformation_permissions.machine_databases[name].lf_tag_policy).expression).values == toset(["landing", "trusted", "curated"])
    ])
    error_message = "Every job and the optimizer must see that the three databases are there, and no more of them."
  }
}

run "the_optimizer_compacts_and_expires" {
  command = plan

  assert {
    condition = alltrue([
      for name in keys(var.tables) : aws_lakeformation_permissions.optimizer_tables[name].permissions == toset(["ALTER", "DELETE", "DESCRIBE", "INSERT"])
    ])
    error_message = "The optimizer must be granted what AWS asks for, on every table."
  }
}

run "no_optimizer_no_grant" {
  command = plan
  variables {
    optimizer = null
  }

  assert {
    condition     = length(aws_lakeformation_permissions.optimizer_tables) == 0 && !contains(keys(aws_lakeformation_permissions.machine_databases), "optimizer")
    error_message = "Without an optimizer nothing must be granted to one."
  }
}

run "refuses_a_table_that_is_not_there" {
  command = plan
  variables {
    jobs = {
      lakehouse = { arn = "a", role_arn = "r", log_groups = { output = "o", error = "e" }, reads = ["customers"], writes = [] }
    }
  }
  expect_failures = [var.jobs]
}
