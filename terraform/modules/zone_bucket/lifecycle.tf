resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket     = aws_s3_bucket.this.bucket
  depends_on = [aws_s3_bucket_versioning.this]

  # What was deleted or replaced goes in truth, and so does what was never finished.
  rule {
    id     = "leftovers"
    status = "Enabled"

    filter {
      prefix = ""
    }

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_days
    }

    expiration {
      expired_object_delete_marker = true
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = var.abort_multipart_days
    }
  }

  dynamic "rule" {
    for_each = var.expirations

    content {
      id     = "expire-${rule.value.prefix == "" ? "everything" : rule.value.prefix}"
      status = "Enabled"

      filter {
        prefix = rule.value.prefix
      }

      expiration {
        days = rule.value.days
      }
    }
  }
}
