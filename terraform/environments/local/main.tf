# The lakehouse on a LocalStack: AWS_ENDPOINT_URL says where.

module "pseudonym_key" {
  source = "../../modules/pseudonym_key"

  name          = "${var.prefix}-pseudonym-key"
  recovery_days = 0
}

module "lakehouse" {
  source = "../../lakehouse"

  prefix              = var.prefix
  environment         = "local"
  layout              = var.layout
  optimizers          = var.layout == "job-per-table"
  sources             = var.sources
  settings            = var.settings
  principals          = { for role in ["researcher", "engineer", "privacy_officer"] : role => ["arn:aws:iam::000000000000:root"] }
  pseudonym_key       = module.pseudonym_key
  deletion_protection = false
}

output "lakehouse" {
  description = "The outputs of the lakehouse: where everything is."
  value       = module.lakehouse
}
