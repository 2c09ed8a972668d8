mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  name            = "stedi-prod-trusted"
  key_arn         = "arn:aws:kms:eu-west-1:111122223333:key/trusted"
  log_bucket      = "stedi-prod-logs"
  noncurrent_days = 1
}

run "protected" {
  command = plan
  variables {
    deletion_protection = true
  }

  assert {
    condition     = !aws_s3_bucket.this.force_destroy
    error_message = "Terraform must not empty the bucket."
  }

  # Terraform deletes the policy before the bucket.
  assert {
    condition = contains([for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement : jsonencode(statement)], jsonencode({
      Sid       = "NoDeletion"
      Effect    = "Deny"
      Principal = "*"
      Action    = ["s3:DeleteBucket", "s3:DeleteBucketPolicy"]
      Resource  = "arn:aws:s3:::stedi-prod-trusted"
    }))
    error_message = "Nobody may delete the bucket, nor the policy that says so."
  }
}

run "not_protected" {
  command = plan
  variables {
    deletion_protection = false
  }

  assert {
    condition     = aws_s3_bucket.this.force_destroy
    error_message = "A destroy must leave nothing."
  }

  assert {
    condition     = !strcontains(aws_s3_bucket_policy.this.policy, "s3:Delete")
    error_message = "Nothing may stand in the way of a destroy."
  }
}
