mock_provider "aws" {}

variables {
  name                = "stedi-dev-trusted"
  key_arn             = "arn:aws:kms:eu-west-1:111122223333:key/trusted"
  log_bucket          = "stedi-dev-logs"
  noncurrent_days     = 1
  deletion_protection = false
}

run "encrypts_with_the_key" {
  command = plan

  assert {
    condition = [
      for rule in aws_s3_bucket_server_side_encryption_configuration.this.rule :
      [rule.apply_server_side_encryption_by_default[0].sse_algorithm, rule.apply_server_side_encryption_by_default[0].kms_master_key_id, rule.bucket_key_enabled]
    ] == [["aws:kms", "arn:aws:kms:eu-west-1:111122223333:key/trusted", true]]
    error_message = "Objects must be encrypted with the key, and few requests to KMS."
  }
}

run "refuses_every_other" {
  command = plan

  assert {
    condition = {
      for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement : statement.Sid => statement.Condition
      if statement.Action == "s3:PutObject" && statement.Effect == "Deny"
      } == {
      NoOtherAlgorithm = {
        Null            = { "s3:x-amz-server-side-encryption" = "false" }
        StringNotEquals = { "s3:x-amz-server-side-encryption" = "aws:kms" }
      }
      NoOtherKey = {
        Null            = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = "false" }
        StringNotEquals = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = "arn:aws:kms:eu-west-1:111122223333:key/trusted" }
      }
      NoKeyOfAws = {
        Null         = { "s3:x-amz-server-side-encryption-aws-kms-key-id" = "true" }
        StringEquals = { "s3:x-amz-server-side-encryption" = "aws:kms" }
      }
      NoKeyOfRequests = { Null = { "s3:x-amz-server-side-encryption-customer-algorithm" = "false" } }
    }
    error_message = "An object must not be written under any other key."
  }
}

run "a_key_is_needed" {
  command = plan
  variables {
    key_arn = null
  }
  expect_failures = [var.key_arn]
}
