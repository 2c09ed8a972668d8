data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name

  # Which tables a role reads. IAM's policies and Lake Formation's tags are both made of this.
  readable = {
    researcher      = { zones = ["curated"], classifications = ["pseudonymous"] }
    engineer        = { zones = ["landing"], classifications = ["internal", "pseudonymous"] }
    privacy_officer = { zones = keys(var.databases), classifications = ["internal", "pseudonymous", "pii"] }
  }

  tables = {
    for role, by in local.readable : role => {
      for name, table in var.tables : name => table
      if contains(by.zones, table.zone) && contains(by.classifications, table.classification)
    }
  }
}
