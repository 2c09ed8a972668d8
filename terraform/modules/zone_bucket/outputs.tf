# Whoever writes into the bucket waits until it is guarded.

output "name" {
  description = "The bucket's name."
  value       = aws_s3_bucket.this.bucket
  depends_on  = [aws_s3_bucket_policy.this, aws_s3_bucket_server_side_encryption_configuration.this]
}

output "arn" {
  description = "The bucket's ARN."
  value       = local.arn
  depends_on  = [aws_s3_bucket_policy.this, aws_s3_bucket_server_side_encryption_configuration.this]
}

output "key_arn" {
  description = "The ARN of the key that encrypts all its objects; null for the bucket of access logs."
  value       = var.key_arn
}
