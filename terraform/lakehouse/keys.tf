# A key for what each zone holds, so that who may read one zone cannot decrypt another.

locals {
  keys = {
    landing = { description = "Raw drops and the landing zone of ${var.prefix}.", services = [] }
    trusted = { description = "The trusted zone of ${var.prefix}.", services = [] }
    curated = { description = "The curated zone of ${var.prefix}.", services = [] }
    operations = {
      description = "Code, results, logs, alarms and secrets of ${var.prefix}."
      services    = ["logs.${data.aws_region.current.name}.amazonaws.com", "cloudwatch.amazonaws.com", "budgets.amazonaws.com"]
    }
  }
}

module "key" {
  source   = "../modules/encryption_key"
  for_each = local.keys

  name               = "${var.prefix}-${each.key}"
  description        = each.value.description
  service_principals = each.value.services
  deletion_days      = var.deletion_protection ? 30 : 7
}
