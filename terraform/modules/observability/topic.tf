# Where every alarm goes. The state machine publishes too: what allows it stands in its own role.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account = data.aws_caller_identity.current.account_id
  region  = data.aws_region.current.name

  alarm_arns = "arn:${data.aws_partition.current.partition}:cloudwatch:${local.region}:${local.account}:alarm:${var.prefix}-*"

  budgets_may_publish = var.budget == null ? [] : [{
    Sid       = "Budgets"
    Effect    = "Allow"
    Principal = { Service = "budgets.amazonaws.com" }
    Action    = "sns:Publish"
    Resource  = aws_sns_topic.alarms.arn
    Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
  }]
}

resource "aws_sns_topic" "alarms" {
  name              = "${var.prefix}-alarms"
  kms_master_key_id = var.key_arn
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        {
          Sid       = "Alarms"
          Effect    = "Allow"
          Principal = { Service = "cloudwatch.amazonaws.com" }
          Action    = "sns:Publish"
          Resource  = aws_sns_topic.alarms.arn
          Condition = {
            ArnLike      = { "aws:SourceArn" = local.alarm_arns }
            StringEquals = { "aws:SourceAccount" = local.account }
          }
        },
        {
          Sid       = "TlsOnly"
          Effect    = "Deny"
          Principal = { AWS = "*" }
          Action    = "sns:Publish"
          Resource  = aws_sns_topic.alarms.arn
          Condition = { Bool = { "aws:SecureTransport" = "false" } }
        },
      ],
      local.budgets_may_publish,
    )
  })
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.emails

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.key
}
