# What the job may do follows from what it reads and writes.

locals {
  account = data.aws_caller_identity.current.account_id
  region  = data.aws_region.current.name

  tables = concat(var.reads, var.writes)
  # Raw files, and what is staged of them: no tables, the rest alike.
  files = [for place in [var.drops, var.staging] : place if place != null]

  # Keys by what S3 does with them for this job.
  decrypted = distinct(concat(
    [var.artifacts_key_arn], local.tables[*].key_arn, local.files[*].key_arn,
  ))
  encrypted = distinct(concat(
    var.writes[*].key_arn, [for place in [var.staging] : place.key_arn if place != null],
  ))

  statements = concat(local.code, local.catalog, local.data, local.landing, local.keys, local.own)

  code = [
    {
      Sid      = "Code"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = var.artifacts_arn
    },
    {
      Sid      = "PseudonymKey"
      Effect   = "Allow"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = [var.secret.arn]
    },
  ]

  # Glue asks for the catalog, the database and the table each time.
  catalog = [
    {
      Sid      = "FindTables"
      Effect   = "Allow"
      Action   = ["glue:GetDatabase", "glue:GetTable"]
      Resource = distinct(concat(local.tables[*].catalog_arn, local.tables[*].database_arn, local.tables[*].arn))
    },
    {
      Sid      = "CommitToTables"
      Effect   = "Allow"
      Action   = ["glue:UpdateTable"]
      Resource = distinct(concat(var.writes[*].catalog_arn, var.writes[*].database_arn, var.writes[*].arn))
    },
  ]

  data = [
    {
      Sid      = "ReadFilesOfTables"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = [for table in local.tables : "${table.bucket_arn}/${table.prefix}*"]
    },
    {
      # A commit writes new files, and removes metadata that the table need not keep or files that came too late.
      Sid      = "WriteFilesOfTables"
      Effect   = "Allow"
      Action   = ["s3:PutObject", "s3:DeleteObject"]
      Resource = [for table in var.writes : "${table.bucket_arn}/${table.prefix}*"]
    },
  ]

  landing = concat(
    [for place in local.files : {
      Sid      = "List${place.prefix == try(var.staging.prefix, null) ? "Staged" : "Drops"}"
      Effect   = "Allow"
      Action   = ["s3:ListBucket"]
      Resource = [place.bucket_arn]
    }],
    [for place in [var.drops] : {
      Sid      = "ReadDrops"
      Effect   = "Allow"
      Action   = ["s3:GetObject"]
      Resource = ["${place.bucket_arn}/${place.prefix}*"]
    } if place != null],
    [for place in [var.staging] : {
      Sid      = "Stage"
      Effect   = "Allow"
      Action   = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]
      Resource = ["${place.bucket_arn}/${place.prefix}*"]
    } if place != null],
  )

  # S3 and Secrets Manager call KMS in the job's name.
  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
  keys = [
    {
      Sid       = "Decrypt"
      Effect    = "Allow"
      Action    = ["kms:Decrypt"]
      Resource  = local.decrypted
      Condition = { StringEquals = { "kms:ViaService" = "s3.${local.region}.amazonaws.com" } }
    },
    {
      Sid       = "Encrypt"
      Effect    = "Allow"
      Action    = ["kms:GenerateDataKey"]
      Resource  = local.encrypted
      Condition = { StringEquals = { "kms:ViaService" = "s3.${local.region}.amazonaws.com" } }
    },
    {
      Sid      = "DecryptPseudonymKey"
      Effect   = "Allow"
      Action   = ["kms:Decrypt"]
      Resource = [var.secret.key_arn]
      Condition = {
        StringEquals = { "kms:ViaService" = "secretsmanager.${local.region}.amazonaws.com" }
        StringLike   = { "kms:EncryptionContext:SecretARN" = var.secret.arn }
      }
    },
  ]

  own = [
    {
      # Glue asks to make the groups, and to encrypt them, though they are there and encrypted.
      # https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html
      Sid      = "Log"
      Effect   = "Allow"
      Action   = ["logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = flatten([for group in aws_cloudwatch_log_group.this : [group.arn, "${group.arn}:*"]])
    },
    {
      # PutMetricData has no resources, a condition on the namespace is all that AWS offers.
      # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
      Sid       = "Metrics"
      Effect    = "Allow"
      Action    = ["cloudwatch:PutMetricData"]
      Resource  = ["*"]
      Condition = { StringEquals = { "cloudwatch:namespace" = "Glue" } }
    },
    {
      # GetDataAccess has no resources: Lake Formation's own grants say to what.
      # https://docs.aws.amazon.com/service-authorization/latest/reference/list_awslakeformation.html
      Sid      = "AskLakeFormation"
      Effect   = "Allow"
      Action   = ["lakeformation:GetDataAccess"]
      Resource = ["*"]
    },
  ]
}

resource "aws_iam_role" "this" {
  name        = var.name
  description = "What the Glue job ${var.name} may do."

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

resource "aws_iam_role_policy" "this" {
  name = "job"
  role = aws_iam_role.this.id

  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements })
}
