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
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/role" }
  }
  mock_resource "aws_sfn_state_machine" {
    defaults = { arn = "arn:aws:states:eu-west-1:111122223333:stateMachine:stedi-dev" }
  }
}

run "unasked_nothing_starts_it" {
  assert {
    condition     = length(aws_scheduler_schedule.this) + length(aws_iam_role.schedule) == 0
    error_message = "Without a schedule there must be none, and no role for it."
  }
}

run "it_starts_when_it_is_told" {
  variables {
    schedule = { expression = "cron(0 2 * * ? *)", timezone = "Europe/Berlin" }
  }

  assert {
    condition     = aws_scheduler_schedule.this[0].schedule_expression == "cron(0 2 * * ? *)" && aws_scheduler_schedule.this[0].schedule_expression_timezone == "Europe/Berlin"
    error_message = "The schedule must be what is given."
  }

  assert {
    condition     = one(aws_scheduler_schedule.this[0].target).arn == "arn:aws:states:eu-west-1:111122223333:stateMachine:stedi-dev" && one(aws_scheduler_schedule.this[0].target).input == "{}"
    error_message = "It must start the state machine, with nothing in its hands."
  }

  assert {
    condition = jsonencode(jsondecode(aws_iam_role_policy.schedule[0].policy).Statement) == jsonencode([{
      Sid      = "Start"
      Effect   = "Allow"
      Action   = ["states:StartExecution"]
      Resource = ["arn:aws:states:eu-west-1:111122223333:stateMachine:stedi-dev"]
    }])
    error_message = "It may start this state machine, and no more."
  }

  assert {
    condition     = jsondecode(aws_iam_role.schedule[0].assume_role_policy).Statement[0].Condition.ArnEquals["aws:SourceArn"] == "arn:aws:scheduler:eu-west-1:111122223333:schedule-group/default"
    error_message = "Its role must trust schedules of this account alone."
  }
}

run "a_schedule_is_an_expression" {
  command = plan
  variables {
    schedule = { expression = "every night" }
  }
  expect_failures = [var.schedule]
}
