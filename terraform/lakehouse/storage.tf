locals {
  buckets = {
    # The landing tables are the governed copy: raw files end.
    drops = { key = "landing", expirations = [{ prefix = "", days = var.retention.drops }] }
    # What a killed run leaves behind, personal data among it.
    landing   = { key = "landing", expirations = [{ prefix = ".staging-", days = 1 }] }
    trusted   = { key = "trusted", expirations = [] }
    curated   = { key = "curated", expirations = [] }
    artifacts = { key = "operations", expirations = [] }
    results   = { key = "operations", expirations = [{ prefix = "", days = var.retention.results }] }
  }
}

module "logs" {
  source = "../modules/zone_bucket"

  name                = "${var.prefix}-logs-${local.account}"
  key_arn             = null
  log_bucket          = null
  expirations         = [{ prefix = "", days = var.retention.logs }]
  noncurrent_days     = local.noncurrent_days
  deletion_protection = var.deletion_protection
}

module "bucket" {
  source   = "../modules/zone_bucket"
  for_each = local.buckets

  name                = "${var.prefix}-${each.key}-${local.account}"
  key_arn             = module.key[each.value.key].arn
  log_bucket          = module.logs.name
  expirations         = each.value.expirations
  noncurrent_days     = local.noncurrent_days
  deletion_protection = var.deletion_protection
}
