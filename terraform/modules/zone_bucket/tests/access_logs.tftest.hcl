mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  name                = "stedi-dev-trusted"
  key_arn             = "arn:aws:kms:eu-west-1:111122223333:key/trusted"
  log_bucket          = "stedi-dev-logs"
  noncurrent_days     = 1
  deletion_protection = false
}

run "access_is_logged" {
  command = plan

  assert {
    condition     = aws_s3_bucket_logging.this[0].target_bucket == "stedi-dev-logs" && aws_s3_bucket_logging.this[0].target_prefix == "stedi-dev-trusted/"
    error_message = "Access must be logged, below the bucket's name."
  }
}

run "logs_can_be_written" {
  command = plan
  variables {
    name       = "stedi-dev-logs"
    key_arn    = null
    log_bucket = null
  }

  assert {
    condition = [for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement : jsonencode(statement) if statement.Effect == "Allow"] == [jsonencode({
      Sid       = "AccessLogsOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = "logging.s3.amazonaws.com" }
      Action    = "s3:PutObject"
      Resource  = "arn:aws:s3:::stedi-dev-logs/*"
      Condition = { StringEquals = { "aws:SourceAccount" = "111122223333" } }
    })]
    error_message = "S3 must be allowed to log for buckets of this account, and nobody else for anything."
  }

  assert {
    condition = [
      for rule in aws_s3_bucket_server_side_encryption_configuration.this.rule : rule.apply_server_side_encryption_by_default[0].sse_algorithm
    ] == ["AES256"]
    error_message = "S3 can write its logs only with a key of its own."
  }

  assert {
    condition     = length(aws_s3_bucket_logging.this) == 0
    error_message = "Logs about the writing of logs would never end."
  }
}

run "logs_with_a_key_of_ours" {
  command = plan
  variables {
    log_bucket = null
  }
  expect_failures = [var.key_arn]
}
