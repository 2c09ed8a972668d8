resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.prefix

  dashboard_body = jsonencode({
    widgets = [
      for index, widget in local.widgets : merge(widget, {
        width  = 12
        height = 6
        x      = index % 2 * 12
        y      = floor(index / 2) * 6
      })
    ]
  })
}

locals {
  hour = 3600
  day  = 86400

  widgets = [
    {
      type = "metric"
      properties = {
        title  = "Runs"
        region = local.region
        stat   = "Sum"
        period = local.day
        view   = "timeSeries"
        metrics = [
          for metric in concat(["ExecutionsSucceeded"], values(local.bad_ends)) :
          ["AWS/States", metric, "StateMachineArn", var.state_machine_arn]
        ]
      }
    },
    {
      type = "metric"
      properties = {
        title   = "Duration of a run, in milliseconds"
        region  = local.region
        stat    = "Maximum"
        period  = local.hour
        view    = "timeSeries"
        metrics = [["AWS/States", "ExecutionTime", "StateMachineArn", var.state_machine_arn]]
      }
    },
    {
      type = "metric"
      properties = {
        title   = "Lines landed, by source"
        region  = local.region
        stat    = "Sum"
        period  = local.day
        view    = "timeSeries"
        metrics = [for source in local.sources : [var.prefix, "Landed", "Source", source]]
      }
    },
    {
      type = "metric"
      properties = {
        title   = "Rows, by table"
        region  = local.region
        stat    = "Maximum"
        period  = local.day
        view    = "timeSeries"
        metrics = [for table in local.made_tables : [var.prefix, "RowsKept", "Table", table]]
      }
    },
    {
      type = "metric"
      properties = {
        title  = "Rejected share, by source"
        region = local.region
        stat   = "Sum"
        period = local.hour
        view   = "timeSeries"
        yAxis  = { left = { min = 0, max = 1 } }
        metrics = concat(
          [for index, source in local.sources : [{ id = "share${index}", expression = "IF(lines${index} > 0, rejected${index} / lines${index})", label = source }]],
          [for index, source in local.sources : [var.prefix, "Lines", "Source", source, { id = "lines${index}", visible = false }]],
          [for index, source in local.sources : [var.prefix, "Rejected", "Source", source, { id = "rejected${index}", visible = false }]],
        )
        annotations = { horizontal = [{ label = "alarm", value = var.rejected_share }] }
      }
    },
    {
      type = "alarm"
      properties = {
        title = "Alarms"
        alarms = concat(
          aws_cloudwatch_metric_alarm.late[*].arn,
          [for alarm in aws_cloudwatch_metric_alarm.bad_end : alarm.arn],
          [for alarm in aws_cloudwatch_metric_alarm.rejected : alarm.arn],
          [for alarm in aws_cloudwatch_metric_alarm.stale : alarm.arn],
        )
      }
    },
  ]
}
