mock_provider "aws" {
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

run "closed_to_the_public" {
  command = plan

  assert {
    condition = alltrue([
      aws_s3_bucket_public_access_block.this.block_public_acls,
      aws_s3_bucket_public_access_block.this.block_public_policy,
      aws_s3_bucket_public_access_block.this.ignore_public_acls,
      aws_s3_bucket_public_access_block.this.restrict_public_buckets,
    ])
    error_message = "The bucket must be closed to the public."
  }
}

run "no_access_lists" {
  command = plan

  assert {
    condition     = aws_s3_bucket_ownership_controls.this.rule[0].object_ownership == "BucketOwnerEnforced"
    error_message = "Every object must be the bucket owner's."
  }
}

run "only_over_tls" {
  command = plan

  assert {
    condition = contains([for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement : jsonencode(statement)], jsonencode({
      Sid       = "OnlyOverTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = ["arn:aws:s3:::stedi-dev-trusted", "arn:aws:s3:::stedi-dev-trusted/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }))
    error_message = "Whatever is asked without TLS must be denied."
  }
}

run "allows_nobody_by_itself" {
  command = plan

  assert {
    condition     = alltrue([for statement in jsondecode(aws_s3_bucket_policy.this.policy).Statement : statement.Effect == "Deny"])
    error_message = "Only IAM policies may allow something."
  }
}

run "says_where_it_is_before_it_is_made" {
  command = plan

  assert {
    condition     = output.name == "stedi-dev-trusted" && output.arn == "arn:aws:s3:::stedi-dev-trusted"
    error_message = "The outputs must be known in a plan."
  }
}

run "no_name_of_a_bucket" {
  command = plan
  variables {
    name = "stedi_dev"
  }
  expect_failures = [var.name]
}
