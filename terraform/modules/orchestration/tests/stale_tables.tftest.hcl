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
    condition     = [for stage in [1, 2, 3] : local.definition.States["Is stage ${stage} made?"].Choices[0].Next] == ["Stage 2", "Stage 3", "Is all made?"]
    error_message = "A stage must begin when the one before is made, and the last be the end."
  }

  assert {
    condition     = [for stage in [1, 2, 3] : length(local.definition.States["Stage ${stage}"].Branches)] == [2, 1, 1]
    error_message = "The jobs of a stage must run side by side."
  }
}

run "after_a_stage_that_goes_on_the_next_one_runs" {
  assert {
    condition     = [for of in ["is stale", "broke"] : local.definition.States["Stage 1 ${of}"].Next] == ["Stage 2", "Stage 2"]
    error_message = "Whatever happens in it, what comes later must run."
  }

  assert {
    condition = local.definition.States["Stage 1 is stale"].Parameters == {
      "stale.$" = "States.Format('{}{}{}', $.stale, $.branches[0].stale, $.branches[1].stale)"
    }
    error_message = "What is stale must be remembered, and what comes later is not."
  }

  assert {
    condition     = local.definition.States["Stage 1 broke"].Parameters["stale.$"] == "States.Format('{}accelerometer_landing is stale. customer_landing is stale. ', $.stale)"
    error_message = "If the stage itself breaks, all of it may be stale."
  }
}

run "after_another_stage_nothing_runs_and_all_of_it_is_stale" {
  assert {
    condition     = [for of in ["is stale", "broke"] : local.definition.States["Stage 2 ${of}"].Next] == ["Stale", "Stale"]
    error_message = "What would be made of a table that is stale must not run."
  }

  assert {
    condition     = local.definition.States["Stage 2 is stale"].Parameters["stale.$"] == "States.Format('{}{}machine_learning_curated is stale. ', $.stale, $.branches[0].stale)"
    error_message = "What does not run is stale, too."
  }
}

run "it_ends_well_only_if_nothing_is_stale" {
  assert {
    condition = local.definition.States["Is all made?"] == {
      Type    = "Choice"
      Choices = [{ Variable = "$.stale", StringEquals = "", Next = "Made" }]
      Default = "Stale"
    }
    error_message = "What a stage that goes on left stale must fail the execution at its end."
  }

  assert {
    condition     = local.definition.States["Stale"].Error == "StaleTable" && strcontains(local.definition.States["Stale"].CausePath, "$.stale")
    error_message = "The execution must fail with the tables that are stale."
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
    condition = (
      local.making["people"]["May another run for people succeed?"].Default == "Another run for people" &&
      local.making["people"]["Another run for people"] == { Type = "Pass", Result = { attempt = "second" }, Next = "Make people" }
    )
    error_message = "A rerun is safe, so a job that failed must get one more run."
  }

  assert {
    condition = [for choice in local.making["people"]["May another run for people succeed?"].Choices : try(choice.StringEquals, choice.And[1].StringMatches)] == [
      "second", "*without_address*",
    ]
    error_message = "But no third, and none that would hide what only the first can say."
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
    condition = alltrue([
      for table, states in local.making :
      !strcontains(jsonencode(states["Tell about ${table}"].Parameters), "ErrorMessage") && !strcontains(jsonencode(states["Tell about ${table}"].Parameters), "Cause")
    ])
    error_message = "What an engine says quotes rows: it must not be told."
  }

  assert {
    condition     = one(aws_sfn_state_machine.this.logging_configuration).include_execution_data == false && one(aws_sfn_state_machine.this.logging_configuration).level == "ERROR"
    error_message = "Nor may it be logged."
  }
}

run "what_becomes_of_later_tables_is_told" {
  assert {
    condition = [
      for table in ["customer_landing", "people"] :
      strcontains(local.making[table]["Tell about ${table}"].Parameters["Message.$"], {
        customer_landing = "Made all the same, of what is there: customer_trusted, customers_curated, machine_learning_curated."
        people           = "So is what is made after it: machine_learning_curated."
      }[table])
    ] == [true, true]
    error_message = "Who is told must know whether later tables are made."
  }

  assert {
    condition     = !strcontains(local.making["machine_learning_curated"]["Tell about machine_learning_curated"].Parameters["Message.$"], "after")
    error_message = "After the last there is nothing."
  }
}

run "every_table_that_a_job_names_is_stale" {
  assert {
    condition = [
      for state in ["Look for the stale of people", "Is customer_trusted stale?", "customer_trusted is stale", "Is customers_curated stale?", "customers_curated is stale"] :
      try(local.naming["people"][state].Default, local.naming["people"][state].Next)
    ] == ["Is customer_trusted stale?", "Is customers_curated stale?", "Is customers_curated stale?", "Tell about people", "Tell about people"]
    error_message = "One table after the other must be looked for in the job's message."
  }

  assert {
    condition     = local.naming["people"]["Is customers_curated stale?"].Choices[0].StringMatches == "*customers_curated is stale: *"
    error_message = "It is named as jobs name it."
  }
}

run "where_none_is_named_all_are_stale" {
  assert {
    condition = (
      local.naming["people"]["Does a run for people say what is stale?"].Default == "All of people may be stale" &&
      local.naming["people"]["All of people may be stale"].Parameters.stale == "customer_trusted is stale. customers_curated is stale. "
    )
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
    stages = [{ jobs = [] }]
  }
  expect_failures = [var.stages]
}

run "a_table_is_made_once" {
  command = plan
  variables {
    stages = [{ jobs = [
      { job = "a", job_arn = "arn:aws:glue:eu-west-1:111122223333:job/a", table = "t" },
      { job = "b", job_arn = "arn:aws:glue:eu-west-1:111122223333:job/b", table = "u", tables = ["t"] },
    ] }]
  }
  expect_failures = [var.stages]
}

run "a_table_has_a_name_for_states" {
  command = plan
  variables {
    stages = [{ jobs = [{ job = "a", job_arn = "arn:aws:glue:eu-west-1:111122223333:job/a", table = "it's" }] }]
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

run "words_are_no_pattern" {
  command = plan
  variables {
    said_once = ["*"]
  }
  expect_failures = [var.said_once]
}
