# A database per zone, and in it every table of the zone, as its contract says.

data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account   = data.aws_caller_identity.current.account_id
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.name
  glue_arn  = "arn:${local.partition}:glue:${local.region}:${local.account}"

  descriptions = {
    landing = "What arrived and was understood, as it arrived. Holds people who never consented."
    trusted = "What people had consented to share with research when it was made."
    curated = "What research is made of."
  }

  # What the types of the contracts are called in Glue and elsewhere.
  types = jsondecode(file("${path.module}/../../../stedi_common/contracts/types.json"))

  contracts = {
    for name, contract in var.contracts : name => {
      zone        = one([for property in contract.schema[0].customProperties : property.value if property.property == "zone"])
      description = contract.schema[0].description
      columns     = contract.schema[0].properties
    }
  }

  # From the names, not from AWS's answers: so a plan knows them, and what they are allowed to do can be tested on it.
  tables = {
    for name, contract in local.contracts : name => {
      name         = name
      zone         = contract.zone
      database     = aws_glue_catalog_table.this[name].database_name
      arn          = "${local.glue_arn}:table/${aws_glue_catalog_table.this[name].database_name}/${name}"
      database_arn = "${local.glue_arn}:database/${aws_glue_catalog_table.this[name].database_name}"
      catalog_arn  = "${local.glue_arn}:catalog"
      bucket_arn   = var.zones[contract.zone].bucket_arn
      key_arn      = var.zones[contract.zone].key_arn
      prefix       = "${contract.zone}/${name}/"
      location     = "s3://${var.zones[contract.zone].bucket}/${contract.zone}/${name}"
      columns      = { for column in contract.columns : column.name => column.classification }
      # The highest of its columns.
      classification = [
        for level in ["pii", "pseudonymous", "internal"] : level if contains(contract.columns[*].classification, level)
      ][0]
    }
  }
}

resource "aws_glue_catalog_database" "zone" {
  for_each = var.zones

  name         = "${var.database_prefix}_${each.key}"
  description  = lookup(local.descriptions, each.key, null)
  location_uri = "s3://${each.value.bucket}/${each.key}"

  lifecycle {
    # The provider cannot send an empty list of default permissions, so a database has the account's.
    postcondition {
      condition     = !contains(flatten(self.create_table_default_permission[*].principal[*].data_lake_principal_identifier), "IAM_ALLOWED_PRINCIPALS")
      error_message = "${self.name}: expected new tables to be nobody's, got Lake Formation's default, which is everybody whom IAM allows. Apply terraform/account, then make the database anew."
    }
  }
}

resource "aws_glue_catalog_table" "this" {
  for_each = local.contracts

  database_name = aws_glue_catalog_database.zone[each.value.zone].name
  name          = each.key
  description   = each.value.description
  table_type    = "EXTERNAL_TABLE"

  open_table_format_input {
    iceberg_input {
      metadata_operation = "CREATE"
      version            = "2"
    }
  }

  storage_descriptor {
    location = "s3://${var.zones[each.value.zone].bucket}/${each.value.zone}/${each.key}"

    dynamic "columns" {
      for_each = each.value.columns
      content {
        name    = columns.value.name
        type    = local.types[columns.value.physicalType].glue
        comment = columns.value.description
      }
    }
  }

  lifecycle {
    # Glue makes an Iceberg table, and cannot change one: partitions, order, properties and new columns come with the
    # jobs' commits.
    ignore_changes = [parameters, storage_descriptor, description]
  }
}
