locals {
  # CloudWatch's names for a run that did not end well.
  bad_ends = {
    failed    = "ExecutionsFailed"
    timed-out = "ExecutionsTimedOut"
    aborted   = "ExecutionsAborted"
  }

  # One line is enough: it may have been a withdrawal.
  doubts = merge([
    for table in local.doubted : {
      "doubtful-${replace(table, "_", "-")}" = {
        table       = table
        metric      = "Doubtful"
        description = "Lines came to ${table} within an hour that are no customer records but name people, who are out of research until a record of theirs arrives. The query doubtful_people tells who."
      }
      "without-address-${replace(table, "_", "-")}" = {
        table       = table
        metric      = "WithoutAddress"
        description = "Lines came to ${table} within an hour that may be withdrawals, and nobody knows whose, so that nobody is out of research because of them. The query doubtful_files tells in which files."
      }
    }
  ]...)

  # What a table's step reports whenever it succeeds.
  report = { for table in local.written : table => contains(local.landed, table) ? "Lines" : "RowsKept" }
}

resource "aws_cloudwatch_metric_alarm" "bad_end" {
  for_each = local.bad_ends

  alarm_name          = "${var.prefix}-run-${each.key}"
  alarm_description   = "A run of the lakehouse ${replace(each.key, "-", " ")}. Running it again is always safe."
  namespace           = "AWS/States"
  metric_name         = each.value
  dimensions          = { StateMachineArn = var.state_machine_arn }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 300
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

# Late and stale look back hour by hour, because only so an alarm may look back further than a day.
resource "aws_cloudwatch_metric_alarm" "late" {
  count = var.late_hours == null ? 0 : 1

  alarm_name          = "${var.prefix}-run-late"
  alarm_description   = "No run of the lakehouse succeeded in ${var.late_hours} hours."
  namespace           = "AWS/States"
  metric_name         = "ExecutionsSucceeded"
  dimensions          = { StateMachineArn = var.state_machine_arn }
  statistic           = "Sum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 3600
  evaluation_periods  = var.late_hours
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "stale" {
  for_each = var.late_hours == null ? {} : local.report

  alarm_name          = "${var.prefix}-stale-${replace(each.key, "_", "-")}"
  alarm_description   = "No step brought ${each.key} up to date in ${var.late_hours} hours."
  namespace           = var.prefix
  metric_name         = each.value
  dimensions          = { Table = each.key }
  statistic           = "SampleCount"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 3600
  evaluation_periods  = var.late_hours
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "doubt" {
  for_each = local.doubts

  alarm_name          = "${var.prefix}-${each.key}"
  alarm_description   = each.value.description
  namespace           = var.prefix
  metric_name         = each.value.metric
  dimensions          = { Table = each.value.table }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 3600
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

# A run whose maintenance has failed is a success: its tables are up to date.
resource "aws_cloudwatch_metric_alarm" "maintenance_failed" {
  count = length(local.maintaining) == 0 ? 0 : 1

  alarm_name          = "${var.prefix}-maintenance-failed"
  alarm_description   = "The maintenance of a table failed. Until one succeeds, old snapshots keep people who have withdrawn. The next run does it again."
  namespace           = var.prefix
  metric_name         = "NotMaintained"
  dimensions          = { Table = local.maintenance }
  statistic           = "Sum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 3600
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "maintenance_late" {
  count = length(local.maintaining) == 0 || var.late_hours == null ? 0 : 1

  alarm_name          = "${var.prefix}-maintenance-late"
  alarm_description   = "No run maintained the tables in ${coalesce(var.late_hours, 0)} hours. Until one does, old snapshots keep people who have withdrawn."
  namespace           = var.prefix
  metric_name         = "NotMaintained"
  dimensions          = { Table = local.maintenance }
  statistic           = "SampleCount"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 3600
  evaluation_periods  = var.late_hours
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  ok_actions          = [aws_sns_topic.alarms.arn]
}

resource "aws_cloudwatch_metric_alarm" "rejected" {
  for_each = local.landed

  alarm_name          = "${var.prefix}-rejected-${replace(each.key, "_", "-")}"
  alarm_description   = "Of the lines that came to ${each.key} within an hour, more than ${var.rejected_share * 100} % were rejected. The query rejected_share tells which and why."
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.rejected_share
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]

  metric_query {
    id          = "share"
    expression  = local.share
    label       = "Rejected share"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { lines = "Lines", rejected = "Rejected" }

    content {
      id = metric_query.key

      metric {
        namespace   = var.prefix
        metric_name = metric_query.value
        dimensions  = { Table = each.key }
        stat        = "Sum"
        period      = 3600
      }
    }
  }
}

locals {
  # An hour without lines rejects nothing.
  share = "IF(lines > 0, rejected / lines, 0)"
}
