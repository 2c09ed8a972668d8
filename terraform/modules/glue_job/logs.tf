# Glue makes what it does not find, and would keep it for ever: so the groups are made here, by the names that it gives.
# https://docs.aws.amazon.com/glue/latest/dg/monitor-continuous-logging.html

locals {
  log_folder = "/aws-glue/jobs/${local.security_configuration}-role/${aws_iam_role.this.name}"

  security_configuration = (
    var.security_configuration == null ? aws_glue_security_configuration.this[0].name : var.security_configuration
  )
}

resource "aws_cloudwatch_log_group" "this" {
  for_each = toset(["output", "error"])

  name              = "${local.log_folder}/${each.key}"
  retention_in_days = var.log_days
  kms_key_id        = var.log_key_arn
}

resource "aws_glue_security_configuration" "this" {
  count = var.security_configuration == null ? 1 : 0

  name = var.name

  encryption_configuration {
    cloudwatch_encryption {
      cloudwatch_encryption_mode = "SSE-KMS"
      kms_key_arn                = var.log_key_arn
    }

    # The job keeps no bookmarks, and its tables and staged files are encrypted by their buckets' own keys. What Glue
    # should ever write besides is encrypted as its logs are.
    job_bookmarks_encryption {
      job_bookmarks_encryption_mode = "CSE-KMS"
      kms_key_arn                   = var.log_key_arn
    }

    s3_encryption {
      s3_encryption_mode = "SSE-KMS"
      kms_key_arn        = var.log_key_arn
    }
  }
}
