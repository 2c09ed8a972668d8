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

run "a_table_has_its_classification" {
  command = plan

  assert {
    condition     = alltrue([for name, table in var.tables : one(aws_lakeformation_resource_lf_tags.table[name].lf_tag).value == table.classification])
    error_message = "Each table must be tagged with its classification."
  }

  assert {
    condition     = [for name, tagged in aws_lakeformation_resource_lf_tags.table : name if one(tagged.lf_tag).value == "pseudonymous" && var.tables[name].zone == "curated"] == ["machine_learning_curated"]
    error_message = "In curated only machine_learning_curated must be pseudonymous."
  }
}

run "a_database_has_its_zone_and_its_highest_classification" {
  command = plan

  assert {
    condition = alltrue([
      for zone, tagged in aws_lakeformation_resource_lf_tags.database :
      { for tag in tagged.lf_tag : tag.key => tag.value } == { "stedi-dev_zone" = zone, "stedi-dev_classification" = "pii" }
    ])
    error_message = "A database must be tagged with its zone, and as pii when one of its tables is."
  }
}

run "a_harmless_database" {
  command = plan
  variables {
    jobs = {}
    tables = {
      pairs = {
        name = "pairs", zone = "curated", database = "d", arn = "a", database_arn = "d", catalog_arn = "c", bucket_arn = "b", prefix = "p/", key_arn = "k", classification = "pseudonymous"
      }
    }
    databases  = { curated = "d", landing = "l" }
    principals = { researcher = ["arn:aws:iam::111122223333:root"] }
  }

  assert {
    condition = {
      for zone, tagged in aws_lakeformation_resource_lf_tags.database :
      zone => one([for tag in tagged.lf_tag : tag.value if tag.key == "stedi-dev_classification"])
    } == { curated = "pseudonymous", landing = "internal" }
    error_message = "A database must be no more sensitive than its tables."
  }
}

run "refuses_a_role_without_a_table" {
  command = plan
  variables {
    jobs   = {}
    tables = {}
  }
  expect_failures = [aws_iam_role_policy.this]
}

run "refuses_an_unknown_classification" {
  command = plan
  variables {
    jobs = {}
    tables = {
      pairs = {
        name = "pairs", zone = "curated", database = "d", arn = "a", database_arn = "d", catalog_arn = "c", bucket_arn = "b", prefix = "p/", key_arn = "k", classification = "secret"
      }
    }
    principals = {}
  }
  expect_failures = [var.tables]
}

run "refuses_a_prefix_that_is_no_folder" {
  command = plan
  variables {
    jobs = {}
    tables = {
      pairs = {
        name = "pairs", zone = "curated", database = "d", arn = "a", database_arn = "d", catalog_arn = "c", bucket_arn = "b", prefix = "p", key_arn = "k", classification = "pii"
      }
    }
    principals = {}
  }
  expect_failures = [var.tables]
}
