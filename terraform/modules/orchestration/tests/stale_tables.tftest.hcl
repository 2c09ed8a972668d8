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
    defaults = { arn = "arn:aws:iam::111122223333:role/role" }
  }
  mock_resource "aws_sfn_state_machine" {
    defaults = { arn = "arn:aws:states:eu-west-1:111122223333:stateMachine:stedi-dev" }
  }
}

run "stages_follow_each_other" {
  assert {
    condition = [
      for name in ["Stage 1", "Is stage 1 made?", "Stage 2", "Is stage 2 made?"] :
      try(jsondecode(aws_sfn_state_machine.this.definition).States[name].Next, jsondecode(aws_sfn_state_machine.this.definition).States[name].Default)
    ] == ["Is stage 1 made?", "Stage 2", "Is stage 2 made?", "Made"]
    error_message = "A stage must begin when the one before is made, and the last be the end."
  }

  assert {
    condition = [
      for stage in ["Stage 1", "Stage 2"] :
      length(jsondecode(aws_sfn_state_machine.this.definition).States[stage].Branches)
    ] == [2, 1]
    error_message = "The jobs of a stage must run side by side."
  }
}

run "a_job_is_awaited" {
  assert {
    condition = (
      local.making["accelerometer_landing"]["Make accelerometer_landing"].Resource == "arn:aws:states:::glue:startJobRun.sync" &&
      jsonencode(local.making["accelerometer_landing"]["Make accelerometer_landing"].Parameters) ==
      jsonencode({ JobName = "stedi-dev-land-accelerometer", Arguments = { "--day" = "1" } })
    )
    error_message = "A state must last as long as its job, which gets its arguments."
  }
}

run "a_busy_job_is_waited_for_as_long_as_one_may_take" {
  assert {
    condition     = contains(local.retries[0].ErrorEquals, "Glue.ConcurrentRunsExceededException") && local.retries[0].MaxAttempts * local.retries[0].MaxDelaySeconds / 2 >= 4 * 3600
    error_message = "Of two executions at once the second must wait, for hours if need be."
  }

  assert {
    condition     = alltrue([for retry in local.retries : retry.JitterStrategy == "FULL" && retry.BackoffRate > 1])
    error_message = "Those who were refused together must not come back together, nor ever faster."
  }
}

run "a_failed_job_runs_once_more" {
  assert {
    condition     = jsonencode(local.retries[2].ErrorEquals) == jsonencode(["States.TaskFailed"]) && local.retries[2].MaxAttempts == 1
    error_message = "A rerun is safe, so a job that failed must get one more run."
  }
}

run "whatever_happens_is_told" {
  assert {
    condition = alltrue([
      for table, states in local.making : (
        jsonencode(states["Make ${table}"].Catch[0].ErrorEquals) == jsonencode(["States.ALL"]) &&
        states["Tell about ${table}"].Parameters.TopicArn == "arn:aws:sns:eu-west-1:111122223333:alarms" &&
        states["Tell about ${table}"].Catch[0].Next == "${table} is not made"
      )
    ])
    error_message = "Any failure must reach the topic, and a topic that fails must hide none."
  }
}

run "a_message_has_names_and_no_rows" {
  assert {
    condition     = alltrue([for table, states in local.making : !strcontains(jsonencode(states["Tell about ${table}"].Parameters), "ErrorMessage") && !strcontains(jsonencode(states["Tell about ${table}"].Parameters), "Cause")])
    error_message = "What an engine says quotes rows: it must not be told."
  }

  assert {
    condition     = one(aws_sfn_state_machine.this.logging_configuration).include_execution_data == false && one(aws_sfn_state_machine.this.logging_configuration).level == "ERROR"
    error_message = "Nor may it be logged."
  }

  assert {
    condition     = strcontains(jsondecode(aws_sfn_state_machine.this.definition).States["Stale"].CausePath, "$[*].stale") && jsondecode(aws_sfn_state_machine.this.definition).States["Stale"].Error == "StaleTable"
    error_message = "The execution must fail with the tables that are stale."
  }
}

run "all_that_follows_is_stale_too" {
  assert {
    condition = jsonencode(local.after) == jsonencode({
      accelerometer_landing = ["customer_trusted", "customers_curated"]
      customer_landing      = ["customer_trusted", "customers_curated"]
      customer_trusted      = ["customers_curated"]
      customers_curated     = []
    })
    error_message = "What is made after a table must be known: of its own job, and of later stages."
  }

  assert {
    condition = jsonencode([
      for state in ["customer_trusted is stale", "customers_curated is stale"] : local.branches["rest"].States[state].Parameters.after
    ]) == jsonencode([" So is what is made after it: customers_curated.", ""])
    error_message = "And told."
  }
}

run "the_first_of_several_tables_may_be_stale" {
  assert {
    condition     = local.making["rest"]["Which of rest is stale?"].Default == "customer_trusted is stale"
    error_message = "Where a job does not say which of its tables is stale, all may be."
  }
}

run "names_of_states_are_unique" {
  assert {
    condition = length(distinct(concat(
      keys(jsondecode(aws_sfn_state_machine.this.definition).States),
      flatten([for branch in values(local.branches) : keys(branch.States)]),
    ))) == length(jsondecode(aws_sfn_state_machine.this.definition).States) + sum([for branch in values(local.branches) : length(branch.States)])
    error_message = "Step Functions wants a name once in a state machine."
  }
}

run "a_stage_has_jobs" {
  command = plan
  variables {
    stages = [[]]
  }
  expect_failures = [var.stages]
}

run "a_table_is_made_once" {
  command = plan
  variables {
    stages = [[
      { job = "a", job_arn = "arn:aws:glue:eu-west-1:111122223333:job/a", table = "t" },
      { job = "b", job_arn = "arn:aws:glue:eu-west-1:111122223333:job/b", table = "u", tables = ["t"] },
    ]]
  }
  expect_failures = [var.stages]
}

run "a_table_has_a_name_for_states" {
  command = plan
  variables {
    stages = [[{ job = "a", job_arn = "arn:aws:glue:eu-west-1:111122223333:job/a", table = "it's" }]]
  }
  expect_failures = [var.stages]
}

run "a_name_is_short" {
  command = plan
  variables {
    name = "a name"
  }
  expect_failures = [var.name]
}
