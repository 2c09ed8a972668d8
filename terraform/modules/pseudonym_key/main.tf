# 64 hex digits that AWS draws. They pass through Terraform's memory once, and into no plan, state or log.

ephemeral "aws_secretsmanager_random_password" "this" {
  password_length     = 64
  exclude_uppercase   = true
  exclude_punctuation = true
  exclude_characters  = "ghijklmnopqrstuvwxyz"
}

module "key" {
  source = "../encryption_key"

  name          = var.name
  description   = "Encrypts the secret ${var.name}."
  deletion_days = max(7, var.recovery_days)
}

resource "aws_secretsmanager_secret" "this" {
  #checkov:skip=CKV2_AWS_57:Another key would give everybody another pseudonym. To change it is to rebuild the tables.
  name                    = var.name
  description             = "Makes the pseudonyms of machine_learning_curated. Who has it can tell people from them."
  kms_key_id              = module.key.arn
  recovery_window_in_days = var.recovery_days
}

resource "aws_secretsmanager_secret_version" "this" {
  secret_id                = aws_secretsmanager_secret.this.id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.this.random_password
  secret_string_wo_version = 1
}
