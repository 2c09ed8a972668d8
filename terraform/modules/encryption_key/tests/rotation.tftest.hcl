mock_provider "aws" {}

variables {
  name          = "stedi-dev-trusted"
  description   = "The trusted zone."
  deletion_days = 30
}

run "rotates" {
  command = plan

  assert {
    condition     = aws_kms_key.this.enable_key_rotation
    error_message = "The key must rotate."
  }
}

run "ends_after_the_days_given" {
  command = plan

  assert {
    condition     = aws_kms_key.this.deletion_window_in_days == 30
    error_message = "A deleted key must wait as long as it was told to."
  }
}

run "too_few_days" {
  command = plan
  variables {
    deletion_days = 6
  }
  expect_failures = [var.deletion_days]
}

run "too_many_days" {
  command = plan
  variables {
    deletion_days = 31
  }
  expect_failures = [var.deletion_days]
}

run "is_found_by_its_name" {
  command = plan

  assert {
    condition     = aws_kms_alias.this.name == "alias/stedi-dev-trusted"
    error_message = "The alias must be the name."
  }
}

run "no_name_for_an_alias" {
  command = plan
  variables {
    name = "stedi dev"
  }
  expect_failures = [var.name]
}
