locals {
  # Who queries: a workgroup and a place for results of their own.
  roles = ["researcher", "engineer", "privacy_officer"]
}

module "query" {
  source   = "../modules/query"
  for_each = toset(local.roles)

  name = "${var.prefix}-${replace(each.key, "_", "-")}"
  results = {
    bucket     = module.bucket["results"].name
    bucket_arn = module.bucket["results"].arn
    prefix     = "${each.key}/"
    key_arn    = module.key["operations"].arn
  }
  scan_limit_bytes = var.scan_limit_bytes
  databases        = module.catalog.databases
  # The checks read personal data.
  named_queries = each.key == "privacy_officer"
}
