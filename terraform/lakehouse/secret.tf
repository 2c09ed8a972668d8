# The pseudonym key (rule 10): 64 hex digits that AWS draws. They pass through Terraform once and into no file of it.

ephemeral "aws_secretsmanager_random_password" "pseudonym_key" {
  password_length     = 64
  exclude_uppercase   = true
  exclude_punctuation = true
  exclude_characters  = "ghijklmnopqrstuvwxyz"
}

resource "aws_secretsmanager_secret" "pseudonym_key" {
  #checkov:skip=CKV2_AWS_57:A rotated key would give everybody a new pseudonym. To change it is to rebuild the tables.
  name                    = "${var.prefix}-pseudonym-key"
  description             = "Makes the pseudonyms of machine_learning_curated. Without it they cannot be traced back."
  kms_key_id              = module.key["operations"].arn
  recovery_window_in_days = var.deletion_protection ? 30 : 0
}

resource "aws_secretsmanager_secret_version" "pseudonym_key" {
  secret_id                = aws_secretsmanager_secret.pseudonym_key.id
  secret_string_wo         = ephemeral.aws_secretsmanager_random_password.pseudonym_key.random_password
  secret_string_wo_version = 1
}
