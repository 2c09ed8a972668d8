# Every setting that cannot work is refused, with a sentence that says what was expected.

mock_provider "aws" {}

variables {
  pseudonym_key = {
    arn     = "arn:aws:secretsmanager:us-east-1:000000000000:secret:key"
    key_arn = "arn:aws:kms:us-east-1:000000000000:key/key"
  }
  prefix              = "stedi-dev"
  environment         = "dev"
  deletion_protection = false
  sources             = { wheels = "./tests/empty.gluewheels.zip" }
}

run "prefix_is_short_and_lower_case" {
  command = plan
  variables { prefix = "Stedi_Dev" }
  expect_failures = [var.prefix]
}

run "environment_is_known" {
  command = plan
  variables { environment = "test" }
  expect_failures = [var.environment]
}

run "layout_is_known" {
  command = plan
  variables { layout = "one-job-per-row" }
  expect_failures = [var.layout]
}

run "engine_is_known" {
  command = plan
  variables { engine = "dask" }
  expect_failures = [var.engine]
}

run "one_job_chooses_its_engine_night_by_night" {
  command = plan
  variables { layout = "one-job" }

  assert {
    condition     = local.arguments["--engine"] == "auto" && local.zip == "stedi.gluewheels.zip"
    error_message = "engine: expected auto in one-job, and the wheels of both engines."
  }
}

run "a_job_per_table_installs_what_spark_needs_and_no_more" {
  command = plan
  variables { layout = "job-per-table" }

  assert {
    condition     = local.arguments["--engine"] == "spark" && local.zip == "stedi-spark.gluewheels.zip"
    error_message = "engine: expected spark in job-per-table, and the small zip of wheels."
  }
}

run "glue_5_0_has_too_old_a_pyarrow_for_the_embedded_engine" {
  command = plan
  variables {
    layout   = "one-job"
    capacity = { glue_version = "5.0" }
    sources  = { wheels = "./tests/empty.gluewheels.zip" }
  }

  assert {
    condition     = local.arguments["--engine"] == "spark"
    error_message = "engine: expected spark with Glue 5.0."
  }
}

run "an_engine_that_is_named_is_taken" {
  command = plan
  variables {
    layout = "job-per-table"
    engine = "embedded"
  }

  assert {
    condition     = local.arguments["--engine"] == "embedded" && local.zip == "stedi.gluewheels.zip"
    error_message = "engine: expected the one that is named, with its wheels."
  }
}

run "a_job_per_table_leaves_maintenance_to_glue" {
  command = plan
  variables {
    layout     = "job-per-table"
    optimizers = false
  }
  expect_failures = [var.optimizers]
}

run "runs_that_maintain_the_tables_are_daily" {
  command = plan
  variables { schedule = { expression = "cron(0 4 ? * MON-FRI *)" } }
  expect_failures = [var.schedule]
}

run "no_run_maintains_what_nobody_starts" {
  command = plan
  variables { optimizers = false }
  expect_failures = [var.schedule]
}

run "a_rate_of_days_is_not_daily" {
  command = plan
  variables { schedule = { expression = "rate(2 days)" } }
  expect_failures = [var.schedule]
}

run "glue_maintains_what_runs_on_weekdays" {
  command = plan
  variables {
    schedule   = { expression = "cron(0 4 ? * MON-FRI *)" }
    optimizers = true
  }

  assert {
    condition     = local.optimizers && !contains(keys(local.jobs.lakehouse.arguments), "--maintain")
    error_message = "optimizers: expected Glue, and not the job, to maintain the tables."
  }
}

run "consent_is_known" {
  command = plan
  variables { policy = { consent = "always" } }
  expect_failures = [var.policy]
}

run "pairing_is_known" {
  command = plan
  variables { policy = { pairing = "any" } }
  expect_failures = [var.policy]
}

run "prod_takes_the_default_policy_only" {
  command = plan
  variables {
    environment         = "prod"
    deletion_protection = true
    policy              = { consent = "ever" }
  }
  expect_failures = [var.policy]
}

run "serial_numbers_have_no_blanks" {
  command = plan
  variables { policy = { defective_serials = ["a b"] } }
  expect_failures = [var.policy]
}

run "serial_numbers_are_in_no_argument" {
  command = plan
  variables { policy = { defective_serials = ["sn-1", "sn-2"] } }

  assert {
    condition     = endswith(local.arguments["--defective_serials"], "/defective_serials.txt") && !strcontains(jsonencode(local.arguments), "sn-1")
    error_message = "defective_serials: expected the URI of a file among the arguments of the jobs, and no serial number."
  }
}

run "settings_are_content" {
  command = plan
  variables { settings = "stedi.toml" }
  expect_failures = [var.settings]
}

run "settings_go_to_what_reads_drops" {
  command = plan
  variables {
    layout   = "job-per-table"
    settings = "[limits]\nnesting = 50\n"
  }

  assert {
    condition     = toset([for name, settings in local.configured : name if length(settings) == 1]) == toset(keys(local.land_steps))
    error_message = "settings: expected those and no other job to be given them."
  }
}

run "a_rebuild_is_asked_for" {
  command = plan
  variables { rebuild = true }

  assert {
    condition     = local.arguments["--rebuild"] == "true"
    error_message = "rebuild: expected it among the arguments of the jobs."
  }
}

run "nothing_is_rebuilt_unasked" {
  command = plan

  assert {
    condition     = !contains(keys(local.arguments), "--rebuild")
    error_message = "rebuild: expected it not among the arguments of the jobs."
  }
}

run "drops_end_in_time" {
  command = plan
  variables { retention = { drops = 28 } }
  expect_failures = [var.retention]
}

run "results_end_in_time" {
  command = plan
  variables { retention = { results = 5 } }
  expect_failures = [var.retention]
}

run "prod_is_protected" {
  command = plan
  variables { environment = "prod" }
  expect_failures = [var.deletion_protection]
}
