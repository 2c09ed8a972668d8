locals {
  # In the order of their dependencies; the steps of a stage do not wait for each other. Who withdraws is in the customers'
  # drops: no other source may hold up the removal. A source, or a removal, that fails keeps no table from being made of
  # what is there: the tables' jobs, too, take out who has withdrawn. A table that fails does: what is made of it could take
  # in readings of somebody whose withdrawal it does not know.
  order = concat(
    [
      { goes_on = true, steps = ["land_customer"] },
      { goes_on = true, steps = concat(["remove_withdrawn"], [for source in local.landed : "land_${source}" if source != "customer"]) },
    ],
    [for tables in module.lineage.levels : { goes_on = false, steps = [for table in tables : local.lineage[table].madeBy] }],
  )

  stages = { one-job = [{ goes_on = false, steps = ["lakehouse"] }], job-per-table = local.order }[var.layout]

  # Of an error of stedi_common: the lines that it is about have landed, and the next run finds nothing wrong.
  said_once = ["nobody knows whose refusal this may be"]
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
