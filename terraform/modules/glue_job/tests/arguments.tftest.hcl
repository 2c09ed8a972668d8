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

run "the_job_starts_in_a_closed_network" {
  assert {
    condition = {
      for name in ["--additional-python-modules", "--python-modules-installer-option", "--datalake-formats"] :
      name => aws_glue_job.this.default_arguments[name]
      } == {
      "--additional-python-modules"       = "s3://artifacts/stedi.gluewheels.zip"
      "--python-modules-installer-option" = "--no-index --no-deps"
      "--datalake-formats"                = "iceberg"
    }
    error_message = "All that it imports must come from Glue and from the zip of wheels."
  }
}

run "settings_of_spark_are_chained" {
  assert {
    condition = (
      aws_glue_job.this.default_arguments["--conf"] ==
      "spark.sql.extensions=org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions --conf spark.sql.session.timeZone=UTC"
    )
    error_message = "Glue takes --conf once: further settings follow as its value's own --conf."
  }
}

run "no_exception_is_copied_into_logs" {
  assert {
    condition     = aws_glue_job.this.default_arguments["--enable-job-insights"] == "false"
    error_message = "Job insights quote exceptions, which quote rows."
  }
}

run "no_package_is_given_unasked" {
  assert {
    condition     = !contains(keys(aws_glue_job.this.default_arguments), "--extra-py-files")
    error_message = "Without packages there must be no argument for them."
  }
}

run "packages_are_given_to_driver_and_executors" {
  variables {
    packages = ["s3://artifacts/a.zip", "s3://artifacts/b.zip"]
  }

  assert {
    condition     = aws_glue_job.this.default_arguments["--extra-py-files"] == "s3://artifacts/a.zip,s3://artifacts/b.zip"
    error_message = "The packages must be given as Glue takes them."
  }
}

run "refuses_a_package_that_is_no_zip" {
  command = plan
  variables {
    packages = ["s3://artifacts/folder/"]
  }
  expect_failures = [var.packages]
}

run "the_script_gets_its_own" {
  assert {
    condition     = aws_glue_job.this.default_arguments["--lake"] == "s3://stedi-dev-{zone}-111122223333"
    error_message = "The script must get the arguments that are given."
  }
}

run "glues_arguments_are_not_the_scripts" {
  command = plan
  variables {
    arguments = { "--conf" = "spark.sql.ansi.enabled=false" }
  }
  expect_failures = [var.arguments]
}

run "an_argument_has_dashes" {
  command = plan
  variables {
    arguments = { lake = "s3://lake" }
  }
  expect_failures = [var.arguments]
}

run "a_role_has_a_short_name" {
  command = plan
  variables {
    name = "a-name-of-more-than-sixty-four-letters-is-none-that-a-role-may-have"
  }
  expect_failures = [var.name]
}

run "a_script_is_python" {
  command = plan
  variables {
    script = "s3://artifacts/jobs/land.scala"
  }
  expect_failures = [var.script]
}

run "a_zip_of_wheels_says_so" {
  command = plan
  variables {
    wheels = "s3://artifacts/stedi.zip"
  }
  expect_failures = [var.wheels]
}
