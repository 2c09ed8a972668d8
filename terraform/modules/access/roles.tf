locals {
  roles = {
    # A day's work; who sees personal data signs in again every hour.
    researcher      = { hours = 8, does = "Reads the training pairs and nothing else." }
    engineer        = { hours = 8, does = "Runs the jobs and reads their logs; sees no personal data." }
    privacy_officer = { hours = 1, does = "Reads every table and changes none." }
  }

  assumable = { for role, is in local.roles : role => is if length(var.principals[role]) > 0 }

  statements = {
    researcher      = local.querying.researcher
    engineer        = concat(local.querying.engineer, local.operating)
    privacy_officer = local.querying.privacy_officer
  }
}

resource "aws_iam_role" "this" {
  for_each = local.assumable

  name                 = "${var.prefix}-${replace(each.key, "_", "-")}"
  description          = each.value.does
  max_session_duration = each.value.hours * 3600

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [merge(
      {
        Effect    = "Allow"
        Action    = "sts:AssumeRole"
        Principal = { AWS = sort(var.principals[each.key]) }
      },
      var.require_mfa ? { Condition = { Bool = { "aws:MultiFactorAuthPresent" = "true" } } } : {},
    )]
  })
}

resource "aws_iam_role_policy" "this" {
  for_each = local.assumable

  name   = each.key
  role   = aws_iam_role.this[each.key].id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements[each.key] })

  lifecycle {
    precondition {
      condition     = length(local.tables[each.key]) > 0
      error_message = "tables: expected one that the ${each.key} reads, got none."
    }
  }
}
