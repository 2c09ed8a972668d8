module "access" {
  source = "../modules/access"

  prefix    = var.prefix
  tables    = module.catalog.tables
  databases = module.catalog.databases
  jobs = {
    for name, job in module.job : name => {
      arn        = job.arn
      role_arn   = job.role_arn
      log_groups = job.log_groups
      reads      = local.jobs[name].reads
      writes     = local.jobs[name].writes
    }
  }
  state_machine_arn = module.orchestration.state_machine_arn
  optimizer         = local.optimizers ? { role_arn = module.catalog.optimizer_role_arn } : null
  workgroups = {
    for role, query in module.query : role => {
      arn = query.workgroup_arn
      results = {
        bucket_arn = module.bucket["results"].arn
        prefix     = "${role}/"
        key_arn    = module.key["operations"].arn
      }
    }
  }
  principals  = var.principals
  require_mfa = var.require_mfa
}
