data "aws_partition" "current" {}

resource "aws_s3_bucket" "this" {
  #checkov:skip=CKV_AWS_18:Only the bucket of access logs has none of itself, which would never end.
  #checkov:skip=CKV_AWS_144:A copy in another region would outlive an erasure here. What is in the zones can be made again.
  #checkov:skip=CKV_AWS_145:Only the bucket of access logs has no key of ours, because S3 cannot write its logs with one.
  #checkov:skip=CKV2_AWS_62:Runs are scheduled. Nothing waits for an object.
  bucket        = var.name
  force_destroy = !var.deletion_protection
}

resource "aws_s3_bucket_ownership_controls" "this" {
  bucket = aws_s3_bucket.this.bucket

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket = aws_s3_bucket.this.bucket

  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.bucket

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.bucket

  rule {
    # One request to KMS serves many objects.
    bucket_key_enabled = !local.holds_logs

    apply_server_side_encryption_by_default {
      sse_algorithm     = local.holds_logs ? "AES256" : "aws:kms"
      kms_master_key_id = var.key_arn
    }
  }
}

resource "aws_s3_bucket_logging" "this" {
  count = local.holds_logs ? 0 : 1

  bucket        = aws_s3_bucket.this.bucket
  target_bucket = var.log_bucket
  target_prefix = "${var.name}/"
}

locals {
  holds_logs = var.log_bucket == null
  # Known before the bucket is made, so that a plan shows the policies about it.
  arn = "arn:${data.aws_partition.current.partition}:s3:::${aws_s3_bucket.this.bucket}"
}
