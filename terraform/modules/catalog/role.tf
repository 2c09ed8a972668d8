# What the optimizers may do: what AWS says they need, on these tables only.
# https://docs.aws.amazon.com/glue/latest/dg/optimization-prerequisites.html

resource "aws_iam_role" "optimizer" {
  count = var.optimizers.enabled ? 1 : 0

  name        = "${var.prefix}-table-optimizer"
  description = "What Glue may do to maintain the tables of ${var.database_prefix}."

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "glue.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "optimizer" {
  count = var.optimizers.enabled ? 1 : 0

  name = "tables"
  role = aws_iam_role.optimizer[0].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "FilesOfTables"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
        Resource = [for table in values(local.tables) : "${table.bucket_arn}/${table.prefix}*"]
      },
      {
        Sid      = "FindOrphans"
        Effect   = "Allow"
        Action   = ["s3:ListBucket"]
        Resource = values(var.zones)[*].bucket_arn
      },
      {
        Sid      = "CommitToTables"
        Effect   = "Allow"
        Action   = ["glue:GetTable", "glue:UpdateTable"]
        Resource = distinct(flatten([for table in values(local.tables) : [table.catalog_arn, table.database_arn, table.arn]]))
      },
      {
        # S3 calls KMS in the role's name.
        Sid       = "KeysOfZones"
        Effect    = "Allow"
        Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource  = distinct(values(var.zones)[*].key_arn)
        Condition = { StringEquals = { "kms:ViaService" = "s3.${local.region}.amazonaws.com" } }
      },
      {
        # GetDataAccess has no resources: Lake Formation's own grants say to what.
        # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslakeformation.html
        Sid      = "AskLakeFormation"
        Effect   = "Allow"
        Action   = ["lakeformation:GetDataAccess"]
        Resource = ["*"]
      },
      {
        # The groups' names are Glue's, and the same for the whole account.
        Sid    = "Log"
        Effect = "Allow"
        Action = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = [
          for what in ["compaction", "retention", "orphan-file-deletion"] :
          "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:/aws-glue/iceberg-${what}/logs:*"
        ]
      },
    ]
  })
}
