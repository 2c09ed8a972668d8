# What the job may do follows from what it reads and writes.

locals {
  account = data.aws_caller_identity.current.account_id
  region  = data.aws_region.current.name

  tables = concat(var.reads, var.writes)
  # One of each, or none.
  drops   = var.drops[*]
  staging = var.staging[*]

  statements = [
    for statement in concat(local.code, local.catalog, local.databases, local.files, local.lists, local.landing, local.keys, local.watching) :
    merge({ Effect = "Allow" }, statement)
  ]

  code = [
    {
      Sid      = "Code"
      Action   = ["s3:GetObject"]
      Resource = var.artifacts_arn
    },
    {
      Sid      = "PseudonymKey"
      Action   = ["secretsmanager:GetSecretValue"]
      Resource = [var.secret.arn]
    },
  ]

  # Glue asks for the catalog, the database and the table each time.
  catalog = [
    {
      Sid      = "FindTables"
      Action   = ["glue:GetTable"]
      Resource = distinct(concat(local.tables[*].catalog_arn, local.tables[*].database_arn, local.tables[*].arn))
    },
    {
      Sid      = "CommitToTables"
      Action   = ["glue:UpdateTable"]
      Resource = distinct(concat(var.writes[*].catalog_arn, var.writes[*].database_arn, var.writes[*].arn))
    },
  ]

  databases = [
    for _ in(var.embedded ? [1] : []) : {
      # PyIceberg asks for the database with each commit.
      Sid      = "FindDatabases"
      Action   = ["glue:GetDatabase"]
      Resource = distinct(concat(var.writes[*].catalog_arn, var.writes[*].database_arn))
    }
  ]

  files = [
    {
      Sid      = "ReadTables"
      Action   = ["s3:GetObject"]
      Resource = distinct([for table in local.tables : "${table.bucket_arn}/${table.prefix}*"])
    },
    {
      # It deletes metadata that the table need not keep, empty files, and files of a commit that came too late; and it
      # aborts an upload in parts that fails.
      Sid      = "WriteTables"
      Action   = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject"]
      Resource = [for table in var.writes : "${table.bucket_arn}/${table.prefix}*"]
    },
  ]

  lists = [
    for _ in(var.embedded || var.maintains ? [1] : []) : {
      # Which files a table's folder has. On no condition: PyIceberg looks whether metadata are there already that it is about
      # to write. See ListStaged.
      Sid      = "ListTables"
      Action   = ["s3:ListBucket"]
      Resource = distinct(local.tables[*].bucket_arn)
    }
  ]

  landing = concat(
    [for place in local.drops : merge(
      { Sid = "ListDrops", Action = ["s3:ListBucket"], Resource = [place.bucket_arn] },
      # Who lists everything need not name a prefix.
      [for prefix in [coalesce(place.lists, place.prefix, "*")] : { Condition = { StringLike = { "s3:prefix" = "${prefix}*" } } } if prefix != "*"]...
    )],
    [for place in local.drops : {
      Sid      = "ReadDrops"
      Action   = ["s3:GetObject"]
      Resource = ["${place.bucket_arn}/${place.prefix}*"]
    }],
    [for place in local.staging : {
      # On no condition: Spark and PyArrow look whether objects are there. To that S3 answers "no" only to who may list the
      # bucket, else "forbidden"; and there is no s3:prefix in such a question.
      # https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html
      Sid      = "ListStaged"
      Action   = ["s3:ListBucket"]
      Resource = [place.bucket_arn]
    }],
    [for place in local.staging : {
      Sid      = "Stage"
      Action   = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"]
      Resource = ["${place.bucket_arn}/${place.prefix}*"]
    }],
  )

  # S3 and Secrets Manager call KMS in the job's name.
  # https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html
  # https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html
  keys = [
    {
      Sid    = "Decrypt"
      Action = ["kms:Decrypt"]
      Resource = distinct(concat(
        [var.artifacts_key_arn], local.tables[*].key_arn, local.drops[*].key_arn, local.staging[*].key_arn,
      ))
      Condition = { StringEquals = { "kms:ViaService" = "s3.${local.region}.amazonaws.com" } }
    },
    {
      Sid       = "Encrypt"
      Action    = ["kms:GenerateDataKey"]
      Resource  = distinct(concat(var.writes[*].key_arn, local.staging[*].key_arn))
      Condition = { StringEquals = { "kms:ViaService" = "s3.${local.region}.amazonaws.com" } }
    },
    {
      Sid      = "DecryptPseudonymKey"
      Action   = ["kms:Decrypt"]
      Resource = [var.secret.key_arn]
      Condition = {
        StringEquals = {
          "kms:ViaService"                  = "secretsmanager.${local.region}.amazonaws.com"
          "kms:EncryptionContext:SecretARN" = var.secret.arn
        }
      }
    },
  ]

  watching = [
    {
      # Glue asks to make the groups, and to encrypt them, though they are there and encrypted.
      # https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html
      Sid      = "Log"
      Action   = ["logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = flatten([for group in aws_cloudwatch_log_group.this : [group.arn, "${group.arn}:*"]])
    },
    {
      # PutMetricData has no resources; a condition on the namespace is all that AWS offers.
      # https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncloudwatch.html
      Sid       = "Metrics"
      Action    = ["cloudwatch:PutMetricData"]
      Resource  = ["*"]
      Condition = { StringEquals = { "cloudwatch:namespace" = "Glue" } }
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
  name   = "job"
  role   = aws_iam_role.this.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.statements })
}
