# What engineers do beyond querying: run, stop and look. No key, no data, no change of any definition.

locals {
  executions = "${replace(var.state_machine_arn, ":stateMachine:", ":execution:")}:*"
  log_groups = sort(distinct(flatten([for job in var.jobs : values(job.log_groups)])))

  operating = [
    {
      Sid      = "Run"
      Effect   = "Allow"
      Action   = ["states:DescribeStateMachine", "states:ListExecutions", "states:StartExecution"]
      Resource = var.state_machine_arn
    },
    {
      Sid      = "WatchRuns"
      Effect   = "Allow"
      Action   = ["states:DescribeExecution", "states:GetExecutionHistory", "states:StopExecution"]
      Resource = local.executions
    },
    {
      Sid      = "RunJobs"
      Effect   = "Allow"
      Action   = ["glue:BatchStopJobRun", "glue:GetJob", "glue:GetJobRun", "glue:GetJobRuns", "glue:StartJobRun"]
      Resource = sort([for job in var.jobs : job.arn])
    },
    {
      Sid    = "ReadLogs"
      Effect = "Allow"
      Action = ["logs:DescribeLogStreams", "logs:FilterLogEvents", "logs:GetLogEvents"]
      Resource = [
        for group in local.log_groups : "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:${group}:*"
      ]
    },
    {
      Sid    = "ReadDashboard"
      Effect = "Allow"
      Action = ["cloudwatch:DescribeAlarms", "cloudwatch:GetDashboard"]
      Resource = [
        "arn:${local.partition}:cloudwatch::${local.account}:dashboard/${var.prefix}",
        "arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm:${var.prefix}-*",
      ]
    },
    {
      # AWS offers nothing narrower. Metrics are counts.
      Sid      = "ReadMetrics"
      Effect   = "Allow"
      Action   = "cloudwatch:GetMetricData"
      Resource = "*"
    },
  ]
}
