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
        title   = "Records landed, by table"
        region  = local.region
        stat    = "Sum"
        period  = local.day
        view    = "timeSeries"
        metrics = [for table in local.landed : [var.prefix, "Landed", "Table", table]]
      }
    },
    {
      type = "metric"
      properties = {
        title   = "Rows made, by table"
        region  = local.region
        stat    = "Maximum"
        period  = local.day
        view    = "timeSeries"
        metrics = [for table in local.made : [var.prefix, "RowsKept", "Table", table]]
      }
    },
    {
      type = "metric"
      properties = {
        title  = "Rejected share, by table"
        region = local.region
        stat   = "Sum"
        period = local.hour
        view   = "timeSeries"
        yAxis  = { left = { min = 0, max = 1 } }
        metrics = concat(
          [for i, table in sort(local.landed) : [{ id = "share${i}", expression = "IF(lines${i} > 0, rejected${i} / lines${i}, 0)", label = table }]],
          [for i, table in sort(local.landed) : [var.prefix, "Lines", "Table", table, { id = "lines${i}", visible = false }]],
          [for i, table in sort(local.landed) : [var.prefix, "Rejected", "Table", table, { id = "rejected${i}", visible = false }]],
        )
        annotations = { horizontal = [{ label = "alarm", value = var.rejected_share }] }
      }
    },
    {
      type = "metric"
      properties = {
        title   = "Doubtful lines, and lines without an address"
        region  = local.region
        stat    = "Sum"
        period  = local.day
        view    = "timeSeries"
        metrics = [for of in setproduct(sort(local.doubted), ["Doubtful", "WithoutAddress"]) : [var.prefix, of[1], "Table", of[0]]]
      }
    },
    {
      type = "alarm"
      properties = {
        title = "Alarms"
        alarms = concat(
          aws_cloudwatch_metric_alarm.late[*].arn,
          aws_cloudwatch_metric_alarm.maintenance_failed[*].arn,
          aws_cloudwatch_metric_alarm.maintenance_late[*].arn,
          [for alarm in aws_cloudwatch_metric_alarm.bad_end : alarm.arn],
          [for alarm in aws_cloudwatch_metric_alarm.doubt : alarm.arn],
          [for alarm in aws_cloudwatch_metric_alarm.rejected : alarm.arn],
          [for alarm in aws_cloudwatch_metric_alarm.stale : alarm.arn],
        )
      }
    },
  ]
}
