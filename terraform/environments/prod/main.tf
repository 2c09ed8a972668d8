locals {
  prefix = "stedi-prod"
}

module "pseudonym_key" {
  source = "../../modules/pseudonym_key"

  name          = "${local.prefix}-pseudonym-key"
  recovery_days = 30
}

module "lakehouse" {
  source = "../../lakehouse"

  prefix              = local.prefix
  environment         = "prod"
  layout              = "job-per-table"
  capacity            = { workers = 4, timeout_minutes = 120 }
  schedule            = { expression = "cron(0 2 * * ? *)" }
  retention           = { drops = 14, logs = 365, results = 3 }
  alarms              = { emails = var.emails, late_hours = 26 }
  budget              = { monthly_usd = 500 }
  principals          = var.principals
  pseudonym_key       = module.pseudonym_key
  deletion_protection = true
}

output "lakehouse" {
  description = "The outputs of the lakehouse: where everything is."
  value       = module.lakehouse
}
