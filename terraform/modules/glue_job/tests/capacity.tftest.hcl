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

run "one_run_at_a_time" {
  assert {
    condition     = one(aws_glue_job.this.execution_property).max_concurrent_runs == 1 && aws_glue_job.this.max_retries == 0
    error_message = "Of two runs at once one would work for nothing, and who orchestrates the job retries it."
  }
}

run "a_job_is_bounded" {
  variables {
    capacity = { workers = 4, worker_type = "G.2X", glue_version = "6.0", timeout_minutes = 15, flex = true }
  }

  assert {
    condition = [
      aws_glue_job.this.number_of_workers, aws_glue_job.this.worker_type, aws_glue_job.this.glue_version,
      aws_glue_job.this.timeout, aws_glue_job.this.execution_class,
    ] == [4, "G.2X", "6.0", 15, "FLEX"]
    error_message = "The job must have what it is given."
  }
}

run "flex_is_a_choice" {
  assert {
    condition     = aws_glue_job.this.execution_class == "STANDARD" && aws_glue_job.this.glue_version == "5.1"
    error_message = "Unasked, a job must start at once, on Glue 5.1."
  }
}

run "flex_has_small_workers" {
  command = plan
  variables {
    capacity = { worker_type = "R.1X", flex = true }
  }
  expect_failures = [var.capacity]
}

run "a_zip_of_wheels_wants_glue_5" {
  command = plan
  variables {
    capacity = { glue_version = "4.0" }
  }
  expect_failures = [var.capacity]
}

run "workers_have_a_type" {
  command = plan
  variables {
    capacity = { worker_type = "G.3X" }
  }
  expect_failures = [var.capacity]
}

run "one_worker_is_none" {
  command = plan
  variables {
    capacity = { workers = 1 }
  }
  expect_failures = [var.capacity]
}

run "a_job_ends_within_a_week" {
  command = plan
  variables {
    capacity = { timeout_minutes = 10081 }
  }
  expect_failures = [var.capacity]
}

run "a_job_does_not_retry_for_ever" {
  command = plan
  variables {
    capacity = { max_retries = 11 }
  }
  expect_failures = [var.capacity]
}
