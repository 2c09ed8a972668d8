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

run "a_bad_end_is_told_at_once" {

  assert {
    condition = toset([
      for is in aws_cloudwatch_metric_alarm.bad_end :
      "${is.namespace} ${is.metric_name} ${is.dimensions.StateMachineArn} ${is.statistic} ${is.comparison_operator} ${is.threshold} ${is.period}x${is.evaluation_periods} ${is.treat_missing_data}"
      ]) == toset([
      for metric in ["ExecutionsFailed", "ExecutionsTimedOut", "ExecutionsAborted"] :
      "AWS/States ${metric} arn:aws:states:eu-west-1:111122223333:stateMachine:stedi-dev Sum GreaterThanThreshold 0 300x1 notBreaching"
    ])
    error_message = "A run that fails, times out or is aborted must raise an alarm."
  }
}

run "no_run_is_late" {

  assert {
    condition = [
      for is in aws_cloudwatch_metric_alarm.late :
      "${is.namespace} ${is.metric_name} ${is.dimensions.StateMachineArn} ${is.statistic} ${is.comparison_operator} ${is.threshold} ${is.period}x${is.evaluation_periods} ${is.treat_missing_data}"
    ] == ["AWS/States ExecutionsSucceeded arn:aws:states:eu-west-1:111122223333:stateMachine:stedi-dev Sum LessThanThreshold 1 3600x26 breaching"]
    error_message = "No success in late_hours must raise an alarm, and no data is no success."
  }
}

run "a_table_without_its_step_is_stale" {

  assert {
    condition = {
      for table, is in aws_cloudwatch_metric_alarm.stale : table =>
      "${is.namespace} ${is.metric_name} ${is.dimensions.Table} ${is.statistic} ${is.comparison_operator} ${is.threshold} ${is.period}x${is.evaluation_periods} ${is.treat_missing_data}"
      } == {
      customer_landing  = "stedi-dev Lines customer_landing SampleCount LessThanThreshold 1 3600x26 breaching"
      customer_trusted  = "stedi-dev RowsKept customer_trusted SampleCount LessThanThreshold 1 3600x26 breaching"
      customers_curated = "stedi-dev RowsKept customers_curated SampleCount LessThanThreshold 1 3600x26 breaching"
    }
    error_message = "Every table with a step of its own must be watched."
  }
}

run "no_maintenance_is_expected_of_others" {

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.maintenance_failed) == 0 && length(aws_cloudwatch_metric_alarm.maintenance_late) == 0
    error_message = "Without a job that maintains tables no alarm must wait for it."
  }
}

run "a_maintenance_that_fails_or_never_comes_is_told" {
  variables {
    jobs = { lakehouse = { log_group = "/aws-glue/jobs/lakehouse/output", tables = ["customer_landing", "customer_trusted"], maintains = true } }
  }

  assert {
    condition = [
      for is in concat(aws_cloudwatch_metric_alarm.maintenance_failed, aws_cloudwatch_metric_alarm.maintenance_late) :
      "${is.alarm_name} ${is.namespace} ${is.metric_name} ${is.dimensions.Table} ${is.statistic} ${is.comparison_operator} ${is.threshold} ${is.period}x${is.evaluation_periods} ${is.treat_missing_data}"
      ] == [
      "stedi-dev-maintenance-failed stedi-dev NotMaintained maintenance Sum GreaterThanThreshold 0 3600x1 notBreaching",
      "stedi-dev-maintenance-late stedi-dev NotMaintained maintenance SampleCount LessThanThreshold 1 3600x26 breaching",
    ]
    error_message = "One table whose maintenance failed, and a night without any, must raise an alarm."
  }

  assert {
    condition = alltrue([
      for is in concat(aws_cloudwatch_metric_alarm.maintenance_failed, aws_cloudwatch_metric_alarm.maintenance_late) :
      is.alarm_actions == toset(["arn:aws:sns:eu-west-1:111122223333:stedi-dev-alarms"])
    ])
    error_message = "Every alarm must go to the topic."
  }

  assert {
    condition     = aws_cloudwatch_log_metric_filter.this["lakehouse-NotMaintained"].pattern == "{ $.failed >= 0 }" && aws_cloudwatch_log_metric_filter.this["lakehouse-NotMaintained"].metric_transformation[0].dimensions.Table == "$.table"
    error_message = "The number of tables must be that of the job's last line."
  }
}

run "nothing_is_late_when_nothing_is_expected" {
  variables {
    late_hours = null
    jobs       = { lakehouse = { log_group = "/aws-glue/jobs/lakehouse/output", tables = ["customer_landing", "customer_trusted"], maintains = true } }
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.maintenance_late) == 0 && length(aws_cloudwatch_metric_alarm.maintenance_failed) == 1
    error_message = "Without late_hours no maintenance is late, and one that fails must be told."
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.late) == 0 && length(aws_cloudwatch_metric_alarm.stale) == 0 && length(aws_cloudwatch_metric_alarm.bad_end) == 3
    error_message = "Without late_hours only bad ends must be told."
  }
}

run "a_rejected_share_is_told" {

  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.rejected) == ["customer_landing"] && aws_cloudwatch_metric_alarm.rejected["customer_landing"].threshold == 0.05
    error_message = "Every source's share must be watched."
  }

  assert {
    condition = {
      for query in aws_cloudwatch_metric_alarm.rejected["customer_landing"].metric_query :
      query.id => try("${query.metric[0].namespace} ${query.metric[0].metric_name} ${query.metric[0].dimensions.Table} ${query.metric[0].stat}", query.expression)
      } == {
      share    = "IF(lines > 0, rejected / lines, 0)"
      lines    = "stedi-dev Lines customer_landing Sum"
      rejected = "stedi-dev Rejected customer_landing Sum"
    }
    error_message = "The share must be rejected lines of all lines."
  }
}

run "a_single_line_in_doubt_is_told" {

  assert {
    condition = {
      for name, is in aws_cloudwatch_metric_alarm.doubt : name =>
      "${is.namespace} ${is.metric_name} ${is.dimensions.Table} ${is.statistic} ${is.comparison_operator} ${is.threshold} ${is.period}x${is.evaluation_periods} ${is.treat_missing_data}"
      } == {
      doubtful-customer-landing        = "stedi-dev Doubtful customer_landing Sum GreaterThanThreshold 0 3600x1 notBreaching"
      without-address-customer-landing = "stedi-dev WithoutAddress customer_landing Sum GreaterThanThreshold 0 3600x1 notBreaching"
    }
    error_message = "One doubtful line, or one without an address, must raise an alarm."
  }

  assert {
    condition = (
      strcontains(aws_cloudwatch_metric_alarm.doubt["doubtful-customer-landing"].alarm_description, "doubtful_people") &&
      strcontains(aws_cloudwatch_metric_alarm.doubt["without-address-customer-landing"].alarm_description, "doubtful_files")
    )
    error_message = "An alarm must say which query tells more."
  }
}

run "every_alarm_is_heard" {

  assert {
    condition = alltrue([
      for is in concat(values(aws_cloudwatch_metric_alarm.bad_end), values(aws_cloudwatch_metric_alarm.doubt), aws_cloudwatch_metric_alarm.late, values(aws_cloudwatch_metric_alarm.stale), values(aws_cloudwatch_metric_alarm.rejected)) :
      is.alarm_actions == toset(["arn:aws:sns:eu-west-1:111122223333:stedi-dev-alarms"]) && startswith(is.alarm_name, "stedi-dev-")
    ])
    error_message = "Every alarm must go to the topic, whose policy knows it by its prefix."
  }
}

run "refuses_to_look_back_further_than_an_alarm_can" {
  command = plan
  variables {
    late_hours = 169
  }
  expect_failures = [var.late_hours]
}

run "refuses_parts_of_an_hour" {
  command = plan
  variables {
    late_hours = 1.5
  }
  expect_failures = [var.late_hours]
}

run "refuses_a_share_that_is_none" {
  command = plan
  variables {
    rejected_share = 5
  }
  expect_failures = [var.rejected_share]
}
