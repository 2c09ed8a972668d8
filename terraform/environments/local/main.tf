# The lakehouse on a LocalStack: AWS_ENDPOINT_URL says where.

module "lakehouse" {
  source = "../../lakehouse"

  prefix              = var.prefix
  environment         = "local"
  layout              = var.layout
  sources             = var.sources
  deletion_protection = false
}

output "lakehouse" {
  description = "Where everything is."
  value       = module.lakehouse
}
