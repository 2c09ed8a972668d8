# The lakehouse on a LocalStack: AWS_ENDPOINT_URL says where.

module "lakehouse" {
  source = "../../lakehouse"

  prefix              = var.prefix
  environment         = "local"
  layout              = var.layout
  sources             = var.sources
  principals          = { for role in ["researcher", "engineer", "privacy_officer"] : role => ["arn:aws:iam::000000000000:root"] }
  deletion_protection = false
}

output "lakehouse" {
  description = "Where everything is."
  value       = module.lakehouse
}
