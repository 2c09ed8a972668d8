mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
}

variables {
  region      = "eu-west-1"
  lake_admins = ["arn:aws:iam::111122223333:role/deployer"]
}

run "by_the_account" {
  command = plan

  assert {
    condition     = output.bucket == "stedi-state-111122223333"
    error_message = "The bucket's name must be the account's."
  }
}

# What asks for an encryption of its own is refused by the bucket.
run "by_a_backend_that_the_bucket_lets_in" {
  command = plan

  assert {
    condition     = output.backend == <<-EOT
      terraform {
        backend "s3" {
          bucket       = "stedi-state-111122223333"
          key          = "stedi-lakehouse/account.tfstate"
          region       = "eu-west-1"
          use_lockfile = true
        }
      }
    EOT
    error_message = "The backend must use the bucket, with its own encryption and locks."
  }
}

run "not_by_any_name" {
  command = plan
  variables {
    prefix = "Stedi_"
  }
  expect_failures = [var.prefix]
}
