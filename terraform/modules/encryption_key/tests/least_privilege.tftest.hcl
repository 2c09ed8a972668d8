mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  name          = "stedi-dev-operations"
  description   = "Logs and alarms."
  deletion_days = 7
}

run "only_this_account" {
  command = plan

  assert {
    condition = alltrue([
      for statement in jsondecode(aws_kms_key.this.policy).Statement :
      statement.Effect == "Allow" && statement.Principal == { AWS = "arn:aws:iam::111122223333:root" }
    ])
    error_message = "Without services, only IAM policies of this account may allow the key."
  }
}

run "no_wildcard_of_actions" {
  command = plan
  variables {
    service_principals = ["logs.eu-west-1.amazonaws.com", "cloudwatch.amazonaws.com"]
  }

  assert {
    condition     = alltrue([for action in flatten(jsondecode(aws_kms_key.this.policy).Statement[*].Action) : can(regex("^kms:[A-Za-z]+$", action))])
    error_message = "Every action must be named."
  }
}

run "who_administers_can_mend_the_policy" {
  command = plan

  assert {
    condition     = contains(flatten(jsondecode(aws_kms_key.this.policy).Statement[*].Action), "kms:PutKeyPolicy")
    error_message = "A key whose policy nobody may change is lost."
  }
}

run "logs_for_log_groups_of_this_account" {
  command = plan
  variables {
    service_principals = ["logs.eu-west-1.amazonaws.com"]
  }

  assert {
    condition = [
      for statement in jsondecode(aws_kms_key.this.policy).Statement : statement.Condition
      if statement.Principal == { Service = "logs.eu-west-1.amazonaws.com" }
    ] == [{ ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:eu-west-1:111122223333:log-group:*" } }]
    error_message = "CloudWatch Logs must use the key for this account's log groups only."
  }
}

run "services_on_behalf_of_this_account" {
  command = plan
  variables {
    service_principals = ["budgets.amazonaws.com", "cloudwatch.amazonaws.com"]
  }

  assert {
    condition = {
      for statement in jsondecode(aws_kms_key.this.policy).Statement : statement.Principal.Service => [statement.Action, statement.Condition]
      if can(statement.Principal.Service)
      } == {
      for service in ["budgets.amazonaws.com", "cloudwatch.amazonaws.com"] :
      service => [["kms:Decrypt", "kms:GenerateDataKey"], { StringEquals = { "aws:SourceAccount" = "111122223333" } }]
    }
    error_message = "A service must use the key only on behalf of this account."
  }
}

run "a_service_that_does_not_say_for_whom" {
  command = plan
  variables {
    service_principals = ["events.amazonaws.com"]
  }
  expect_failures = [var.service_principals]
}
