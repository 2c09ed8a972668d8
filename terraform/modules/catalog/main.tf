# A database for each zone, and every table as its contract has it. What a commit changes is the wheel's: it sets
# partitions, order and properties on first use, and adds the columns that a contract gains.

locals {
  # Contracts' types that Glue calls otherwise.
  glue_types = { long = "bigint" }
  # From harmless to personal.
  classifications = ["internal", "pseudonymous", "pii"]

  schemas = {
    for name, contract in var.contracts : name => {
      zone           = one([for property in contract.schema[0].customProperties : property.value if property.property == "zone"])
      description    = contract.schema[0].description
      columns        = contract.schema[0].properties
      classification = local.classifications[max([for column in contract.schema[0].properties : index(local.classifications, column.classification)]...)]
    }
  }
}

# Who gets new tables by default is the account's setting in Lake Formation (terraform/account): nobody.
resource "aws_glue_catalog_database" "zone" {
  for_each = var.zones

  name         = "${var.database_prefix}_${each.key}"
  description  = "The ${each.key} zone."
  location_uri = "s3://${each.value.bucket}/${each.key}"
}

resource "aws_glue_catalog_table" "this" {
  for_each = local.schemas

  database_name = aws_glue_catalog_database.zone[each.value.zone].name
  name          = each.key
  description   = each.value.description
  table_type    = "EXTERNAL_TABLE"
  parameters    = { classification = each.value.classification }

  storage_descriptor {
    location = "s3://${var.zones[each.value.zone].bucket}/${each.value.zone}/${each.key}"

    dynamic "columns" {
      for_each = each.value.columns
      content {
        name    = columns.value.name
        type    = lookup(local.glue_types, columns.value.physicalType, columns.value.physicalType)
        comment = columns.value.description
      }
    }
  }

  open_table_format_input {
    iceberg_input {
      metadata_operation = "CREATE"
      version            = "2"
    }
  }

  lifecycle {
    ignore_changes = [parameters, storage_descriptor, description]
  }
}
