# What an AWS account needs once, before any environment: a bucket for Terraform's state, and a Lake Formation that decides.

data "aws_caller_identity" "current" {}

module "key" {
  source = "../modules/encryption_key"

  name          = "${var.prefix}-state"
  description   = "Terraform's state."
  deletion_days = 30
}

module "logs" {
  source = "../modules/zone_bucket"

  name                = "${var.prefix}-state-logs-${data.aws_caller_identity.current.account_id}"
  expirations         = [{ prefix = "", days = 365 }]
  noncurrent_days     = 1
  deletion_protection = var.deletion_protection
}

module "state" {
  source = "../modules/zone_bucket"

  name       = "${var.prefix}-state-${data.aws_caller_identity.current.account_id}"
  key_arn    = module.key.arn
  log_bucket = module.logs.name
  # Days after an apply in which the state before it can be had back.
  noncurrent_days     = 7
  deletion_protection = var.deletion_protection
}

# Without default permissions a new database or table has no grant to IAMAllowedPrincipals: Lake Formation decides who reads it, and no
# longer IAM alone.
resource "aws_lakeformation_data_lake_settings" "this" {
  admins = var.lake_admins
}
