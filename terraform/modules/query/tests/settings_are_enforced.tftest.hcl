mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
}

variables {
  name             = "stedi-dev-engineer"
  results          = { bucket = "stedi-dev-results-111122223333", prefix = "engineer/", key_arn = "arn:aws:kms:eu-west-1:111122223333:key/operations" }
  scan_limit_bytes = 10737418240
  contracts        = {}
  databases        = { landing = "stedi_dev_landing", trusted = "stedi_dev_trusted", curated = "stedi_dev_curated" }
}

run "no_query_changes_the_settings" {
  command = plan

  assert {
    condition     = aws_athena_workgroup.this.configuration[0].enforce_workgroup_configuration
    error_message = "The workgroup's settings must be enforced."
  }
}

run "reading_is_bounded" {
  command = plan

  assert {
    condition     = aws_athena_workgroup.this.configuration[0].bytes_scanned_cutoff_per_query == 10737418240
    error_message = "A query must read no more than the limit."
  }

  assert {
    condition     = aws_athena_workgroup.this.configuration[0].publish_cloudwatch_metrics_enabled
    error_message = "What queries read must be measured."
  }
}

run "results_are_encrypted_in_our_folder" {
  command = plan

  assert {
    condition = one(aws_athena_workgroup.this.configuration[0].result_configuration[0].encryption_configuration) == {
      encryption_option = "SSE_KMS"
      kms_key_arn       = "arn:aws:kms:eu-west-1:111122223333:key/operations"
    }
    error_message = "Results must be encrypted with the key."
  }

  assert {
    condition     = aws_athena_workgroup.this.configuration[0].result_configuration[0].output_location == "s3://stedi-dev-results-111122223333/engineer/"
    error_message = "Results must go to the folder."
  }

  assert {
    condition     = aws_athena_workgroup.this.configuration[0].result_configuration[0].expected_bucket_owner == "111122223333"
    error_message = "Results must stay in this account."
  }
}

run "one_engine" {
  command = plan

  assert {
    condition     = aws_athena_workgroup.this.configuration[0].engine_version[0].selected_engine_version == "Athena engine version 3"
    error_message = "The queries are written for engine version 3."
  }
}

run "refuses_a_name_that_athena_refuses" {
  command = plan
  variables {
    name = "stedi dev"
  }
  expect_failures = [var.name]
}

run "refuses_results_that_are_no_folder" {
  command = plan
  variables {
    results = { bucket = "b", prefix = "engineer", key_arn = "k" }
  }
  expect_failures = [var.results]
}

run "refuses_a_limit_below_athenas_smallest" {
  command = plan
  variables {
    scan_limit_bytes = 10485759
  }
  expect_failures = [var.scan_limit_bytes]
}
