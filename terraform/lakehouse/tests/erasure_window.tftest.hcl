# Rule 14: a withdrawn person is gone from trusted and curated after 7 days, an erased one from every zone after 30.

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

run "each_run_in_one_job_maintains_the_tables" {
  command = plan
  variables { schedule = { expression = "cron(0 2 * * ? *)" } }

  assert {
    condition     = !local.optimizers && local.jobs.lakehouse.arguments["--maintain"] == "true"
    error_message = "expected the one job to expire snapshots, and no optimizer to be paid for."
  }
}

run "each_hour_is_daily_enough" {
  command = plan
  variables { schedule = { expression = "rate(12 hours)" } }

  assert {
    condition     = !local.optimizers
    error_message = "expected the one job to expire snapshots."
  }
}

run "glue_maintains_the_tables_of_a_job_per_table" {
  command = plan
  variables {
    layout   = "job-per-table"
    schedule = { expression = "cron(0 2 * * ? *)" }
  }

  assert {
    condition     = local.optimizers && alltrue([for job in local.jobs : !contains(keys(job.arguments), "--maintain")])
    error_message = "expected Glue to maintain the tables."
  }
}

run "glue_maintains_the_tables_if_nothing_is_scheduled" {
  command = plan

  assert {
    condition     = local.optimizers
    error_message = "expected old snapshots to expire though nobody starts a run."
  }
}

run "what_keeps_old_rows_ends_in_time" {
  command = plan

  # Expiry and lifecycle each come once a day: a day late at worst.
  assert {
    condition     = alltrue([for zone in ["trusted", "curated"] : local.snapshot_days[zone] + 1 + local.noncurrent_days + 1 <= 7])
    error_message = "trusted, curated: expected snapshots and then versions to end within 7 days."
  }

  assert {
    condition     = local.snapshot_days.landing + 1 + local.noncurrent_days + 1 <= 30
    error_message = "landing: expected snapshots and then versions to end within 30 days."
  }

  assert {
    condition     = alltrue([for bucket in local.buckets : alltrue([for e in bucket.expirations : e.days + 1 + local.noncurrent_days + 1 <= 30])])
    error_message = "expected all that expires to be gone within 30 days."
  }

  assert {
    condition     = local.buckets.drops.expirations[0].prefix == "" && local.buckets.results.expirations[0].prefix == ""
    error_message = "expected every raw file and every result of a query to expire."
  }

  assert {
    condition     = alltrue([for zone in ["landing", "trusted", "curated"] : alltrue([for e in local.buckets[zone].expirations : e.prefix == ".staging-"])])
    error_message = "expected no table's files to expire: snapshots name them."
  }
}
