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
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-west-1:111122223333:stedi-dev-alarms" }
  }
  mock_resource "aws_cloudwatch_metric_alarm" {
    defaults = { arn = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:stedi-dev-some" }
  }
}

run "no_budget_unasked" {
  command = plan

  assert {
    condition     = length(aws_budgets_budget.this) == 0
    error_message = "Without a budget none must be made."
  }
}

run "a_budget_counts_this_lake_only" {
  variables {
    budget = { monthly_usd = 500 }
  }

  assert {
    condition     = aws_budgets_budget.this[0].limit_amount == "500" && aws_budgets_budget.this[0].limit_unit == "USD" && aws_budgets_budget.this[0].time_unit == "MONTHLY"
    error_message = "The budget must be what was asked for, by month."
  }

  assert {
    condition     = one(aws_budgets_budget.this[0].cost_filter) == { name = "TagKeyValue", values = tolist(["user:lakehouse$stedi-dev"]) }
    error_message = "Only what carries our tag must count."
  }

  assert {
    condition = toset([
      for told in aws_budgets_budget.this[0].notification : "${told.notification_type} ${told.threshold} ${one(told.subscriber_sns_topic_arns)}"
      ]) == toset([
      "ACTUAL 80 arn:aws:sns:eu-west-1:111122223333:stedi-dev-alarms",
      "FORECASTED 100 arn:aws:sns:eu-west-1:111122223333:stedi-dev-alarms",
    ])
    error_message = "The topic must be told at 80 % spent and at 100 % forecast."
  }
}

run "refuses_a_budget_of_nothing" {
  command = plan
  variables {
    budget = { monthly_usd = 0 }
  }
  expect_failures = [var.budget]
}
