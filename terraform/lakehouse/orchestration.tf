locals {
  # In the order of their dependencies; the steps of a stage do not wait for each other. Who withdraws is in the customers'
  # drops: no other source may hold up the removal. A source, or a removal, that fails keeps no table from being made of
  # what is there: the tables' jobs, too, take out who has withdrawn. A table that fails does: what is made of it could take
  # in readings of somebody whose withdrawal it does not know.
  order = [
    { goes_on = true, steps = ["land_customer"] },
    { goes_on = true, steps = ["remove_withdrawn", "land_accelerometer", "land_step_trainer"] },
    { goes_on = false, steps = ["customer_landing_to_trusted"] },
    { goes_on = false, steps = ["accelerometer_landing_to_trusted"] },
    { goes_on = false, steps = ["customer_trusted_to_curated"] },
    { goes_on = false, steps = ["step_trainer_landing_to_trusted"] },
    { goes_on = false, steps = ["machine_learning_curated"] },
  ]

  stages = { one-job = [{ goes_on = false, steps = ["lakehouse"] }], job-per-table = local.order }[var.layout]

  # Of an error of stedi_common: the lines that it is about have landed, and the next run finds nothing wrong.
  said_once = ["nobody knows whose refusal this may be"]

  # The tables that each stage may read: those that earlier ones made.
  made_before = [
    for index in range(length(local.stages)) :
    flatten([for stage in slice(local.stages, 0, index) : [for step in stage.steps : local.jobs[step].makes]])
  ]
}

check "stages_are_in_the_order_of_lineage" {
  assert {
    condition = alltrue(flatten([
      for index, stage in local.stages : [
        for step in stage.steps : length(setsubtract(local.jobs[step].reads, local.made_before[index])) == 0
      ]
    ]))
    error_message = "stages: expected every table to be made before it is read; see madeFrom in the contracts."
  }
}

module "orchestration" {
  source = "../modules/orchestration"

  name = var.prefix
  stages = [
    for stage in local.stages : {
      goes_on = stage.goes_on
      jobs = [
        for step in stage.steps : {
          job     = module.job[step].name
          job_arn = module.job[step].arn
          table   = local.jobs[step].table
          tables  = var.layout == "one-job" ? [for each in flatten(local.order[*].steps) : local.steps[each].table] : []
        }
      ]
    }
  ]
  said_once   = local.said_once
  topic       = { arn = module.observability.topic_arn, key_arn = module.key["operations"].arn }
  schedule    = var.schedule
  log_key_arn = module.key["operations"].arn
  log_days    = var.retention.logs
}
