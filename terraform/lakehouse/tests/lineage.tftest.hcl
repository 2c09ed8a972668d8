# What a job may read and write, and when it runs, is what the contracts say tables are made from.

mock_provider "aws" {}

variables {
  pseudonym_key = {
    arn     = "arn:aws:secretsmanager:us-east-1:000000000000:secret:key"
    key_arn = "arn:aws:kms:us-east-1:000000000000:key/key"
  }
  prefix              = "stedi-dev"
  environment         = "dev"
  layout              = "job-per-table"
  deletion_protection = false
  sources             = { wheels = "./tests/empty.gluewheels.zip" }
}

run "a_job_reads_what_its_table_is_made_from" {
  command = plan

  assert {
    condition     = alltrue([for name, table in local.lineage : setsubtract(local.jobs[table.madeBy].reads, ["landed_files"]) == toset(table.madeFrom) if table.madeBy != "land"])
    error_message = "expected each job to read just what its table is made from."
  }

  assert {
    condition = alltrue([
      for table in local.lineage :
      contains(local.jobs[table.madeBy].reads, "landed_files") == contains(table.madeFrom, "customer_landing") if table.madeBy != "land"
    ])
    error_message = "expected the jobs that read customer records, and no others, to read how many lines have landed."
  }

  assert {
    condition     = alltrue([for name, table in local.lineage : local.jobs[table.madeBy].writes == [name] if table.madeBy != "land"])
    error_message = "expected each job to write one table."
  }
}

run "a_removal_sees_no_reading_that_was_not_admitted" {
  command = plan

  assert {
    condition     = toset(local.jobs.remove_withdrawn.reads) == toset(["customer_landing", "landed_files"]) && toset(local.jobs.remove_withdrawn.writes) == toset([for name, table in local.lineage : name if table.madeBy != "land"])
    error_message = "expected it to read the customers' records, and to write what was made of them."
  }

  assert {
    condition     = contains(local.stages[1].steps, "remove_withdrawn") && local.stages[0].steps == ["land_customer"]
    error_message = "expected what was withdrawn to go before any table is made, and before another source is awaited."
  }
}

run "a_source_or_a_removal_that_fails_stops_nothing" {
  command = plan

  assert {
    condition = toset(flatten([for stage in local.stages : stage.steps if stage.goes_on])) == setunion(
      keys(local.land_steps), keys(local.removal_steps),
    )
    error_message = "expected the tables to be made of what has landed, and nothing to be made of a table that is stale."
  }
}

run "only_landing_sees_raw_files_and_only_of_its_source" {
  command = plan

  assert {
    condition     = toset([for name, job in local.jobs : name if job.drops != null]) == toset(keys(local.land_steps))
    error_message = "expected no job but those that land to read drops."
  }

  assert {
    condition     = alltrue([for source in local.landed : local.jobs["land_${source}"].drops == "${source}/"])
    error_message = "expected each to land the drops of one source."
  }
}

run "one_job_sees_the_names_of_all_files" {
  command = plan

  assert {
    condition     = [for name, job in local.jobs : name if job.lists != null] == ["land_customer"]
    error_message = "expected just one job to list what lies outside of the sources' folders."
  }
}

run "research_needs_no_landing_rows_but_customers" {
  command = plan

  assert {
    condition     = !contains(local.jobs.machine_learning_curated.reads, "accelerometer_landing") && !contains(local.jobs.machine_learning_curated.reads, "step_trainer_landing")
    error_message = "expected pairs to be made of trusted readings."
  }
}

run "every_table_is_made_before_it_is_read" {
  command = plan

  assert {
    condition     = toset(flatten(local.stages[*].steps)) == toset(keys(local.jobs))
    error_message = "expected every job in one stage."
  }

  assert {
    condition = jsonencode(local.stages[*].steps) == jsonencode([
      ["land_customer"],
      ["remove_withdrawn", "land_accelerometer", "land_step_trainer"],
      ["customer_landing_to_trusted"],
      ["accelerometer_landing_to_trusted"],
      ["customer_trusted_to_curated"],
      ["step_trainer_landing_to_trusted"],
      ["machine_learning_curated"],
    ])
    error_message = "expected the stages in the order of the lineage."
  }

  assert {
    condition     = alltrue([for name, job in local.jobs : fileexists("${local.sources.jobs}/${job.script}.py") && job.script != "make_table"])
    error_message = "expected each job of the package to have a script of its own."
  }
}

run "what_is_said_once_is_what_the_jobs_say" {
  command = plan

  assert {
    condition     = alltrue([for words in local.said_once : strcontains(file("${local.checkout}/stedi_common/errors.py"), words)])
    error_message = "expected the words of the error that tells of lines without an address."
  }
}

run "one_job_makes_every_table" {
  command = plan
  variables { layout = "one-job" }

  assert {
    condition     = keys(local.jobs) == ["lakehouse"] && toset(local.jobs.lakehouse.writes) == toset(keys(local.contracts))
    error_message = "expected one job that writes every table."
  }
}
