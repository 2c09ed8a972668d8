output "arn" {
  description = "The secret's ARN."
  value       = aws_secretsmanager_secret_version.this.arn
}

output "key_arn" {
  description = "The ARN of the key that encrypts it."
  value       = module.key.arn
}
