mock_provider "aws" {}

variables {
  name                = "stedi-dev-landing"
  key_arn             = "arn:aws:kms:eu-west-1:111122223333:key/landing"
  log_bucket          = "stedi-dev-logs"
  expirations         = [{ prefix = "", days = 27 }, { prefix = ".staging-", days = 1 }]
  noncurrent_days     = 2
  deletion_protection = false
}

run "what_is_deleted_or_replaced_ends" {
  command = plan

  assert {
    condition     = aws_s3_bucket_versioning.this.versioning_configuration[0].status == "Enabled"
    error_message = "A deleted object must be there a little longer."
  }

  assert {
    condition = [
      for rule in aws_s3_bucket_lifecycle_configuration.this.rule :
      [rule.status, rule.filter[0].prefix, rule.noncurrent_version_expiration[0].noncurrent_days] if rule.id == "leftovers"
    ] == [["Enabled", "", 2]]
    error_message = "Versions must end everywhere in the bucket."
  }

  assert {
    condition     = one([for rule in aws_s3_bucket_lifecycle_configuration.this.rule : rule.expiration[0].expired_object_delete_marker if rule.id == "leftovers"])
    error_message = "Not even the names of deleted objects may stay."
  }
}

run "unfinished_uploads_end" {
  command = plan

  assert {
    condition = flatten([
      for rule in aws_s3_bucket_lifecycle_configuration.this.rule : rule.abort_incomplete_multipart_upload[*].days_after_initiation
    ]) == [1]
    error_message = "Parts of unfinished uploads must end after a day."
  }
}

run "what_has_an_expiry_ends" {
  command = plan

  assert {
    condition = {
      for rule in aws_s3_bucket_lifecycle_configuration.this.rule : rule.id => [rule.status, rule.filter[0].prefix, rule.expiration[0].days]
      if rule.id != "leftovers"
      } == {
      "expire-everything" = ["Enabled", "", 27]
      "expire-.staging-"  = ["Enabled", ".staging-", 1]
    }
    error_message = "Every expiry must become a rule."
  }
}

run "no_day_too_many" {
  command = plan
  variables {
    noncurrent_days = 8
  }
  expect_failures = [var.noncurrent_days]
}

run "unfinished_for_too_long" {
  command = plan
  variables {
    abort_multipart_days = 8
  }
  expect_failures = [var.abort_multipart_days]
}

run "an_expiry_of_no_days" {
  command = plan
  variables {
    expirations = [{ prefix = "", days = 0 }]
  }
  expect_failures = [var.expirations]
}

run "two_expiries_of_one_prefix" {
  command = plan
  variables {
    expirations = [{ prefix = "a/", days = 1 }, { prefix = "a/", days = 2 }]
  }
  expect_failures = [var.expirations]
}
