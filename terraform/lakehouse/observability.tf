module "observability" {
  source = "../modules/observability"

  prefix  = var.prefix
  key_arn = module.key["operations"].arn
  emails  = var.alarms.emails
  doubted = [
    for name, contract in local.contracts : name if contains(contract.schema[0].properties[*].name, "doubt")
  ]
  # Without a schedule nothing is late.
  late_hours        = var.schedule == null ? null : var.alarms.late_hours
  rejected_share    = var.alarms.rejected_share
  budget            = var.budget
  state_machine_arn = module.orchestration.state_machine_arn
  jobs = {
    for name, job in module.job :
    name => { log_group = job.log_groups.output, tables = local.jobs[name].makes, maintains = !local.optimizers }
  }
}
