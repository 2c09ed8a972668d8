resource "aws_s3_bucket_policy" "this" {
  bucket     = aws_s3_bucket.this.bucket
  policy     = jsonencode({ Version = "2012-10-17", Statement = local.statements })
  depends_on = [aws_s3_bucket_public_access_block.this]
}

data "aws_caller_identity" "current" {}

locals {
  statements = concat(
    [local.tls_only],
    [for statement in local.this_key_only : statement if !local.holds_logs],
    [for statement in [local.access_logs] : statement if local.holds_logs],
    [for statement in [local.no_deletion] : statement if var.deletion_protection],
  )

  tls_only = {
    Sid       = "OnlyOverTls"
    Effect    = "Deny"
    Principal = "*"
    Action    = "s3:*"
    Resource  = [local.arn, "${local.arn}/*"]
    Condition = { Bool = { "aws:SecureTransport" = "false" } }
  }

  # A request that says nothing about encryption gets the bucket's. StringNotEquals is also true of what is not there, hence Null.
  algorithm = "s3:x-amz-server-side-encryption"
  key       = "s3:x-amz-server-side-encryption-aws-kms-key-id"
  this_key_only = [
    for sid, condition in {
      NoOtherAlgorithm = { Null = { (local.algorithm) = "false" }, StringNotEquals = { (local.algorithm) = "aws:kms" } }
      NoOtherKey       = { Null = { (local.key) = "false" }, StringNotEquals = { (local.key) = var.key_arn } }
      # KMS without a key is AWS's own key.
      NoKeyOfAws      = { Null = { (local.key) = "true" }, StringEquals = { (local.algorithm) = "aws:kms" } }
      NoKeyOfRequests = { Null = { "s3:x-amz-server-side-encryption-customer-algorithm" = "false" } }
      } : {
      Sid       = sid
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:PutObject"
      Resource  = "${local.arn}/*"
      Condition = condition
    }
  ]

  access_logs = {
    Sid       = "AccessLogsOfThisAccount"
    Effect    = "Allow"
    Principal = { Service = "logging.s3.amazonaws.com" }
    Action    = "s3:PutObject"
    Resource  = "${local.arn}/*"
    Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
  }

  # To delete the bucket after all, first apply without the protection: that replaces this policy.
  no_deletion = {
    Sid       = "NoDeletion"
    Effect    = "Deny"
    Principal = "*"
    Action    = ["s3:DeleteBucket", "s3:DeleteBucketPolicy"]
    Resource  = local.arn
  }
}
