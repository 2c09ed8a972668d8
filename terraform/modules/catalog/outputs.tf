output "databases" {
  description = "The name of each zone's database."
  value       = { for zone, database in aws_glue_catalog_database.zone : zone => database.name }
}

output "tables" {
  description = "Every table: its place in the catalog and in S3, its key, and the classification of the table and of its columns."
  value       = local.tables
}

output "optimizer_role_arn" {
  description = "The ARN of the role that maintains the tables; null if there is none."
  value       = one(aws_iam_role.optimizer[*].arn)
}
