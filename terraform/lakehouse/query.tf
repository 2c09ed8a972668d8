# Who queries has a workgroup and a place for results of their own, and the checks that their tables allow.

locals {
  queries = {
    researcher = ["pairs_per_day", "training_snapshots"]
    engineer   = ["doubtful_files", "landed_per_source", "lines_accounted_for", "rejected_share", "skipped_files"]
    privacy_officer = [
      "consent_of_person", "counts_per_zone", "doubtful_files", "doubtful_people", "freshness", "landed_per_source", "lines_accounted_for",
      "no_duplicate_customer", "no_null_consent", "no_pair_outside_curated", "no_reading_before_consent", "person_gone", "rejected_share",
      "skipped_files",
    ]
  }
}

module "query" {
  source   = "../modules/query"
  for_each = local.queries

  name = "${var.prefix}-${replace(each.key, "_", "-")}"
  results = {
    bucket     = module.bucket["results"].name
    bucket_arn = module.bucket["results"].arn
    prefix     = "${each.key}/"
    key_arn    = module.key["operations"].arn
  }
  scan_limit_bytes = var.scan_limit_bytes
  databases        = module.catalog.databases
  contracts        = local.contracts
  named_queries    = each.value
}
