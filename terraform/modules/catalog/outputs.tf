locals {
  glue = "arn:${local.partition}:glue:${local.region}:${local.account}"

  tables = {
    for name, schema in local.schemas : name => {
      name           = name
      zone           = schema.zone
      database       = aws_glue_catalog_table.this[name].database_name
      arn            = "${local.glue}:table/${aws_glue_catalog_table.this[name].database_name}/${name}"
      database_arn   = "${local.glue}:database/${aws_glue_catalog_table.this[name].database_name}"
      catalog_arn    = "${local.glue}:catalog"
      bucket_arn     = var.zones[schema.zone].bucket_arn
      prefix         = "${schema.zone}/${name}/"
      key_arn        = var.zones[schema.zone].key_arn
      location       = "s3://${var.zones[schema.zone].bucket}/${schema.zone}/${name}"
      classification = schema.classification
    }
  }
}

output "databases" {
  description = "The database of each zone."
  value       = { for zone, database in aws_glue_catalog_database.zone : zone => database.name }
}

output "tables" {
  description = "Each table: where it is in the catalog and in S3, its key, and the highest classification of its columns."
  value       = local.tables
}

output "optimizer_role_arn" {
  description = "Who compacts the tables and ends their snapshots; null: nobody."
  value       = one(aws_iam_role.optimizer[*].arn)
}
