module "catalog" {
  source = "../modules/catalog"

  prefix          = var.prefix
  database_prefix = local.database_prefix
  contracts       = local.contracts
  zones = {
    for zone in ["landing", "trusted", "curated"] :
    zone => { bucket = module.bucket[zone].name, bucket_arn = module.bucket[zone].arn, key_arn = module.key[zone].arn }
  }
  optimizers = { enabled = local.optimizers, snapshot_days = local.snapshot_days }
}

module "artifacts" {
  source = "../modules/artifacts"

  bucket  = module.bucket["artifacts"].name
  key_arn = module.key["operations"].arn
  jobs    = local.sources.jobs
  wheels  = local.sources.wheels
  project = var.sources.project

  settings          = var.settings
  defective_serials = var.policy.defective_serials
}
