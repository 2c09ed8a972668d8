output "databases" {
  description = "The name of each zone's database."
  value       = { for zone, database in aws_glue_catalog_database.zone : zone => database.name }
}

output "tables" {
  description = "Every table: where it is in the catalog and in S3, its key, and how it and its columns are classified."
  value       = local.tables
}

output "optimizer_role_arn" {
  description = "Who looks after the tables; null if nobody does."
  value       = one(aws_iam_role.optimizer[*].arn)
}
