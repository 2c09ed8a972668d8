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

run "nobody_named_no_role" {
  command = plan
  variables {
    principals = {}
  }

  assert {
    condition     = length(aws_iam_role.this) == 0 && length(aws_iam_role_policy.this) == 0
    error_message = "A role that nobody may assume must not be made."
  }

  assert {
    condition     = length(aws_lakeformation_permissions.people_tables) == 0 && length(aws_lakeformation_permissions.people_databases) == 0
    error_message = "Nobody must be granted anything by tags."
  }
}

run "only_who_is_named" {
  command = plan

  assert {
    condition = alltrue([
      for role, is in aws_iam_role.this : jsondecode(is.assume_role_policy).Statement == [{
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { AWS = ["arn:aws:iam::111122223333:role/${role}s"] }
        Condition = { Bool = { "aws:MultiFactorAuthPresent" = "true" } }
      }]
    ])
    error_message = "A role must be assumed only by who is named, with a second factor."
  }
}

run "an_identity_provider_asks_for_the_second_factor" {
  command = plan
  variables {
    require_mfa = false
  }

  assert {
    condition     = alltrue([for is in aws_iam_role.this : !can(jsondecode(is.assume_role_policy).Statement[0].Condition)])
    error_message = "Without require_mfa no session must be asked for it."
  }
}

run "sessions_end" {
  command = plan

  assert {
    condition     = { for role, is in aws_iam_role.this : role => is.max_session_duration } == { researcher = 28800, engineer = 28800, privacy_officer = 3600 }
    error_message = "A session must last a working day, and an hour for who sees personal data."
  }
}

run "refuses_anybody" {
  command = plan
  variables {
    principals = { researcher = ["*"] }
  }
  expect_failures = [var.principals]
}

run "refuses_a_pattern" {
  command = plan
  variables {
    principals = { privacy_officer = ["arn:aws:iam::111122223333:role/*"] }
  }
  expect_failures = [var.principals]
}
