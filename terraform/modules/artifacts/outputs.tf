output "scripts" {
  description = "The S3 URI of each script, by its name without .py."
  value       = { for name, object in aws_s3_object.this : name => "s3://${var.bucket}/${object.key}" if name != local.wheels }
}

output "wheels" {
  description = "The S3 URI of the zip of wheels."
  value       = "s3://${var.bucket}/${aws_s3_object.this[local.wheels].key}"
}

output "settings" {
  description = "The S3 URI of the settings, and the object's ARN; null if there are none."
  value = one([
    for object in aws_s3_object.settings :
    { uri = "s3://${var.bucket}/${object.key}", arn = "arn:${data.aws_partition.current.partition}:s3:::${var.bucket}/${object.key}" }
  ])
}

output "object_arns" {
  description = "The ARNs of the scripts and of the wheels."
  value       = [for object in aws_s3_object.this : "arn:${data.aws_partition.current.partition}:s3:::${var.bucket}/${object.key}"]
}
