locals {
  # In the order of their dependencies; the steps of a stage do not wait for each other.
  order = [
    ["land_customer", "land_accelerometer", "land_step_trainer"],
    ["remove_withdrawn"],
    ["customer_landing_to_trusted"],
    ["accelerometer_landing_to_trusted"],
    ["customer_trusted_to_curated"],
    ["step_trainer_landing_to_trusted"],
    ["machine_learning_curated"],
  ]

  stages = { one-job = [["lakehouse"]], job-per-table = local.order }[var.layout]

  # The tables that each stage may read: those that earlier ones made.
  made_before = [
    for index in range(length(local.stages)) :
    flatten([for stage in slice(local.stages, 0, index) : [for step in stage : local.jobs[step].makes]])
  ]
}

check "stages_are_in_the_order_of_lineage" {
  assert {
    condition = alltrue(flatten([
      for index, stage in local.stages : [
        for step in stage : length(setsubtract(local.jobs[step].reads, local.made_before[index])) == 0
      ]
    ]))
    error_message = "stages: expected every table to be made before it is read; see madeFrom in the contracts."
  }
}

module "orchestration" {
  source = "../modules/orchestration"

  name = var.prefix
  stages = [
    for stage in local.stages : [
      for step in stage : {
        job     = module.job[step].name
        job_arn = module.job[step].arn
        table   = local.jobs[step].table
        tables  = var.layout == "one-job" ? [for each in flatten(local.order) : local.steps[each].table] : []
      }
    ]
  ]
  topic       = { arn = module.observability.topic_arn, key_arn = module.key["operations"].arn }
  schedule    = var.schedule
  log_key_arn = module.key["operations"].arn
  log_days    = var.retention.logs
}
