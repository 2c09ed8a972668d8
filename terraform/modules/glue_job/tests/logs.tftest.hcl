mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/job" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:group" }
  }
}

run "logs_are_where_glue_writes_them" {
  assert {
    condition = output.log_groups == {
      output = "/aws-glue/jobs/stedi-dev-customer-landing-to-trusted-role/stedi-dev-customer-landing-to-trusted/output"
      error  = "/aws-glue/jobs/stedi-dev-customer-landing-to-trusted-role/stedi-dev-customer-landing-to-trusted/error"
    }
    error_message = "Under a security configuration Glue writes to /aws-glue/jobs/<security configuration>-role/<role>."
  }

  assert {
    condition = alltrue([
      for group in aws_cloudwatch_log_group.this :
      group.retention_in_days == 30 && group.kms_key_id == "arn:aws:kms:eu-west-1:111122223333:key/operations"
    ])
    error_message = "Logs must end, and be encrypted."
  }
}

run "all_that_glue_keeps_is_encrypted" {
  assert {
    condition = jsonencode(one(aws_glue_security_configuration.this[0].encryption_configuration)) == jsonencode({
      cloudwatch_encryption    = [{ cloudwatch_encryption_mode = "SSE-KMS", kms_key_arn = var.log_key_arn }]
      job_bookmarks_encryption = [{ job_bookmarks_encryption_mode = "CSE-KMS", kms_key_arn = var.log_key_arn }]
      s3_encryption            = [{ s3_encryption_mode = "SSE-KMS", kms_key_arn = var.log_key_arn }]
    })
    error_message = "Logs, bookmarks and files of Glue's own must be encrypted with the key."
  }

  assert {
    condition     = aws_glue_job.this.security_configuration == "stedi-dev-customer-landing-to-trusted"
    error_message = "The job must use the configuration."
  }
}

run "a_security_configuration_that_is_there_is_used" {
  variables {
    security_configuration = "common"
  }

  assert {
    condition     = aws_glue_job.this.security_configuration == "common" && length(aws_glue_security_configuration.this) == 0
    error_message = "No other one may be made."
  }

  assert {
    condition     = startswith(output.log_groups.output, "/aws-glue/jobs/common-role/")
    error_message = "Logs must be where Glue writes them under that configuration."
  }
}

run "days_that_cloudwatch_knows" {
  command = plan
  variables {
    log_days = 42
  }
  expect_failures = [var.log_days]
}
