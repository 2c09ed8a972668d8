locals {
  prefix = "stedi-dev"
}

module "pseudonym_key" {
  source = "../../modules/pseudonym_key"

  name          = "${local.prefix}-pseudonym-key"
  recovery_days = 0
}

module "lakehouse" {
  source = "../../lakehouse"

  prefix              = local.prefix
  environment         = "dev"
  layout              = "one-job"
  capacity            = { workers = 2, timeout_minutes = 60, flex = true }
  schedule            = { expression = "cron(0 4 * * ? *)" }
  retention           = { drops = 7, logs = 30, results = 3 }
  alarms              = { emails = var.emails, late_hours = 26 }
  budget              = { monthly_usd = 50 }
  principals          = var.principals
  pseudonym_key       = module.pseudonym_key
  deletion_protection = false
}

output "lakehouse" {
  description = "The outputs of the lakehouse: where everything is."
  value       = module.lakehouse
}
