# Glue looks at the tables once a day: joins small files, ends old snapshots, and removes files that nothing names.

locals {
  optimized = var.optimizers.enabled ? aws_glue_catalog_table.this : {}
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name
}

resource "aws_glue_catalog_table_optimizer" "compaction" {
  for_each = local.optimized

  catalog_id    = local.account
  database_name = each.value.database_name
  table_name    = each.value.name
  type          = "compaction"

  configuration {
    role_arn = aws_iam_role.optimizer[0].arn
    enabled  = true
  }

  depends_on = [aws_iam_role_policy.optimizer]
}

resource "aws_glue_catalog_table_optimizer" "retention" {
  for_each = local.optimized

  catalog_id    = local.account
  database_name = each.value.database_name
  table_name    = each.value.name
  type          = "retention"

  configuration {
    role_arn = aws_iam_role.optimizer[0].arn
    enabled  = true

    retention_configuration {
      iceberg_configuration {
        snapshot_retention_period_in_days = var.optimizers.snapshot_days[local.schemas[each.key].zone]
        number_of_snapshots_to_retain     = 1
        clean_expired_files               = true
      }
    }
  }

  depends_on = [aws_iam_role_policy.optimizer]
}

resource "aws_glue_catalog_table_optimizer" "orphans" {
  for_each = local.optimized

  catalog_id    = local.account
  database_name = each.value.database_name
  table_name    = each.value.name
  type          = "orphan_file_deletion"

  configuration {
    role_arn = aws_iam_role.optimizer[0].arn
    enabled  = true

    orphan_file_deletion_configuration {
      iceberg_configuration {
        # What a run that lost a race has left: no run takes a day.
        orphan_file_retention_period_in_days = 1
      }
    }
  }

  depends_on = [aws_iam_role_policy.optimizer]
}

resource "aws_iam_role" "optimizer" {
  count = var.optimizers.enabled ? 1 : 0

  name        = "${var.prefix}-optimizer"
  description = "Compacts the tables of ${var.prefix} and ends their old snapshots."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "glue.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

# As https://docs.aws.amazon.com/glue/latest/dg/optimization-prerequisites.html asks, for these tables only.
resource "aws_iam_role_policy" "optimizer" {
  count = var.optimizers.enabled ? 1 : 0

  name = "optimizer"
  role = aws_iam_role.optimizer[0].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Files"
        Effect   = "Allow"
        Action   = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
        Resource = [for table in values(local.tables) : "${table.bucket_arn}/${table.prefix}*"]
      },
      {
        Sid      = "ListFiles"
        Effect   = "Allow"
        Action   = ["s3:ListBucket"]
        Resource = [for zone in values(var.zones) : zone.bucket_arn]
      },
      {
        Sid      = "Tables"
        Effect   = "Allow"
        Action   = ["glue:GetTable", "glue:UpdateTable"]
        Resource = distinct(flatten([for table in values(local.tables) : [table.catalog_arn, table.database_arn, table.arn]]))
      },
      {
        Sid       = "Keys"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = distinct([for zone in values(var.zones) : zone.key_arn])
        Condition = { StringEquals = { "kms:ViaService" = "s3.${local.region}.amazonaws.com" } }
      },
      {
        Sid    = "Logs"
        Effect = "Allow"
        Action = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = [
          for kind in ["compaction", "retention", "orphan-file-deletion"] :
          "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:/aws-glue/iceberg-${kind}/logs:*"
        ]
      },
      {
        # GetDataAccess has no resources: Lake Formation's own grants say to what.
        Sid      = "AskLakeFormation"
        Effect   = "Allow"
        Action   = ["lakeformation:GetDataAccess"]
        Resource = ["*"]
      },
    ]
  })
}
