output "scripts" {
  description = "The S3 URI of each script, by its name without .py."
  value       = { for name, object in aws_s3_object.this : name => "s3://${var.bucket}/${object.key}" if !contains([local.wheels, local.project], name) }
}

output "wheels" {
  description = "The S3 URI of the zip of wheels."
  value       = "s3://${var.bucket}/${aws_s3_object.this[local.wheels].key}"
}

output "project" {
  description = "The S3 URI of the zip with the project's own package; null if there is none."
  value       = one([for name, object in aws_s3_object.this : "s3://${var.bucket}/${object.key}" if name == local.project])
}

output "settings" {
  description = "The S3 URI of the settings, and the object's ARN; null if there are none."
  value = one([
    for object in aws_s3_object.settings :
    { uri = "s3://${var.bucket}/${object.key}", arn = "arn:${data.aws_partition.current.partition}:s3:::${var.bucket}/${object.key}" }
  ])
}

output "defective_serials" {
  description = "The S3 URI of the file of defective serial numbers, and the object's ARN; null if there are none."
  value = one([
    for object in aws_s3_object.defective_serials :
    { uri = "s3://${var.bucket}/${object.key}", arn = "arn:${data.aws_partition.current.partition}:s3:::${var.bucket}/${object.key}" }
  ])
}

output "object_arns" {
  description = "The ARNs of the scripts, of the wheels, and of the project's package."
  value       = [for object in aws_s3_object.this : "arn:${data.aws_partition.current.partition}:s3:::${var.bucket}/${object.key}"]
}
