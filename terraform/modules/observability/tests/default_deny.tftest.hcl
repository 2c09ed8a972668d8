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

run "the_topic_is_encrypted" {

  assert {
    condition     = aws_sns_topic.alarms.kms_master_key_id == "arn:aws:kms:eu-west-1:111122223333:key/operations"
    error_message = "What alarms say must be encrypted with the key."
  }
}

run "only_this_lakes_alarms_publish" {

  assert {
    condition = [for statement in jsondecode(aws_sns_topic_policy.alarms.policy).Statement : statement if statement.Effect == "Allow"] == [{
      Sid       = "Alarms"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = "arn:aws:sns:eu-west-1:111122223333:stedi-dev-alarms"
      Condition = {
        ArnLike      = { "aws:SourceArn" = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:stedi-dev-*" }
        StringEquals = { "aws:SourceAccount" = "111122223333" }
      }
    }]
    error_message = "Only alarms of this account with our prefix may publish."
  }
}

run "nobody_publishes_without_tls" {

  assert {
    condition = [for statement in jsondecode(aws_sns_topic_policy.alarms.policy).Statement : statement if statement.Effect == "Deny"] == [{
      Sid       = "TlsOnly"
      Effect    = "Deny"
      Principal = { AWS = "*" }
      Action    = "sns:Publish"
      Resource  = "arn:aws:sns:eu-west-1:111122223333:stedi-dev-alarms"
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
    error_message = "Publishing without TLS must be denied to everybody."
  }
}

run "with_a_budget_it_publishes_too" {
  variables {
    budget = { monthly_usd = 500 }
  }

  assert {
    condition = [
      for statement in jsondecode(aws_sns_topic_policy.alarms.policy).Statement : statement.Condition
      if statement.Principal == { Service = "budgets.amazonaws.com" }
    ] == [{ StringEquals = { "aws:SourceAccount" = "111122223333" } }]
    error_message = "Budgets of this account must be allowed to publish."
  }
}

run "everybody_named_is_told" {

  assert {
    condition     = { for email, is in aws_sns_topic_subscription.email : email => "${is.protocol} ${is.endpoint}" } == { "ops@example.com" = "email ops@example.com" }
    error_message = "Every address must get every alarm."
  }
}

run "refuses_what_is_no_address" {
  command = plan
  variables {
    emails = ["ops"]
  }
  expect_failures = [var.emails]
}
