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

run "the_machine_runs_these_jobs_and_tells" {
  assert {
    condition = jsonencode({
      for statement in jsondecode(aws_iam_role_policy.machine.policy).Statement : statement.Sid => [statement.Action, statement.Resource] if statement.Sid != "DeliverLogs"
      }) == jsonencode({
      RunJobs = [
        ["glue:StartJobRun", "glue:GetJobRun", "glue:GetJobRuns", "glue:BatchStopJobRun"],
        [for job in ["land-accelerometer", "land-customer", "pairs", "people"] : "arn:aws:glue:eu-west-1:111122223333:job/stedi-dev-${job}"],
      ]
      Tell              = [["sns:Publish"], ["arn:aws:sns:eu-west-1:111122223333:alarms"]]
      EncryptWhatIsTold = [["kms:Decrypt", "kms:GenerateDataKey"], ["arn:aws:kms:eu-west-1:111122223333:key/operations"]]
    })
    error_message = "It must start, watch and stop its own jobs, publish to its topic, and no more."
  }

  assert {
    condition = alltrue([
      for action in flatten([for statement in jsondecode(aws_iam_role_policy.machine.policy).Statement : statement.Action if contains(statement.Resource, "*")]) :
      startswith(action, "logs:")
    ])
    error_message = "Only deliveries of logs, for which AWS has no resources, may be of any."
  }
}

run "only_step_functions_may_be_the_machine" {
  assert {
    condition = jsonencode(jsondecode(aws_iam_role.machine.assume_role_policy).Statement) == jsonencode([{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "states.amazonaws.com" }
      Condition = {
        StringEquals = { "aws:SourceAccount" = "111122223333" }
        ArnEquals    = { "aws:SourceArn" = "arn:aws:states:eu-west-1:111122223333:stateMachine:stedi-dev" }
      }
    }])
    error_message = "The role must trust this state machine alone."
  }
}

run "logs_end_and_are_encrypted" {
  assert {
    condition = (
      aws_cloudwatch_log_group.this.name == "/aws/vendedlogs/states/stedi-dev" &&
      aws_cloudwatch_log_group.this.retention_in_days == 30 &&
      aws_cloudwatch_log_group.this.kms_key_id == "arn:aws:kms:eu-west-1:111122223333:key/operations"
    )
    error_message = "The log must have the prefix of vended logs, an end and the key."
  }
}

run "days_that_cloudwatch_knows" {
  command = plan
  variables {
    log_days = 42
  }
  expect_failures = [var.log_days]
}
