resource "aws_lakeformation_data_lake_settings" "this" {
  admins = [local.role]
}

resource "aws_lakeformation_resource" "this" {
  arn                     = "arn:aws:s3:::${var.bucket}/${var.name}"
  use_service_linked_role = true
}

resource "aws_lakeformation_lf_tag" "this" {
  key    = var.name
  values = ["private", "public", var.revision]
}

resource "aws_lakeformation_resource_lf_tags" "database" {
  database {
    name = aws_glue_catalog_database.this.name
  }

  lf_tag {
    key   = aws_lakeformation_lf_tag.this.key
    value = "public"
  }
}

resource "aws_lakeformation_resource_lf_tag" "table" {
  table {
    database_name = aws_glue_catalog_database.this.name
    name          = aws_glue_catalog_table.iceberg.name
  }

  lf_tag {
    key   = aws_lakeformation_lf_tag.this.key
    value = "private"
  }
}

resource "aws_lakeformation_permissions" "database" {
  principal   = local.role
  permissions = ["DESCRIBE", var.revision == "first" ? "ALTER" : "DROP"]

  database {
    name = aws_glue_catalog_database.this.name
  }
}

resource "aws_lakeformation_permissions" "table" {
  principal                     = local.role
  permissions                   = ["DESCRIBE", "SELECT"]
  permissions_with_grant_option = ["DESCRIBE"]

  table {
    database_name = aws_glue_catalog_database.this.name
    name          = aws_glue_catalog_table.iceberg.name
  }
}

resource "aws_lakeformation_permissions" "tables" {
  principal   = "${local.role}-all"
  permissions = ["INSERT", "SELECT"]

  table {
    database_name = aws_glue_catalog_database.this.name
    wildcard      = true
  }
}

resource "aws_lakeformation_permissions" "columns" {
  principal   = "${local.role}-columns"
  permissions = ["SELECT"]

  table_with_columns {
    database_name = aws_glue_catalog_database.this.name
    name          = aws_glue_catalog_table.iceberg.name
    column_names  = ["at", "user"]
  }
}

resource "aws_lakeformation_permissions" "policy" {
  principal   = local.role
  permissions = ["DESCRIBE", "SELECT"]

  lf_tag_policy {
    resource_type = "TABLE"

    expression {
      key    = aws_lakeformation_lf_tag.this.key
      values = ["private", "public"]
    }
  }
}

resource "aws_lakeformation_permissions" "tag" {
  principal   = local.role
  permissions = ["ASSOCIATE"]

  lf_tag {
    key    = aws_lakeformation_lf_tag.this.key
    values = ["public"]
  }
}

resource "aws_lakeformation_permissions" "location" {
  principal   = local.role
  permissions = ["DATA_LOCATION_ACCESS"]

  data_location {
    arn = aws_lakeformation_resource.this.arn
  }
}

resource "aws_lakeformation_permissions" "cells" {
  principal   = local.role
  permissions = ["DESCRIBE", "SELECT"]

  data_cells_filter {
    database_name    = aws_glue_catalog_database.this.name
    name             = aws_lakeformation_data_cells_filter.this.table_data[0].name
    table_catalog_id = local.account
    table_name       = aws_glue_catalog_table.iceberg.name
  }
}

resource "aws_lakeformation_data_cells_filter" "this" {
  table_data {
    database_name    = aws_glue_catalog_database.this.name
    name             = "recent"
    table_catalog_id = local.account
    table_name       = aws_glue_catalog_table.iceberg.name
    column_names     = ["at"]

    row_filter {
      filter_expression = "user <> '${var.revision}'"
    }
  }
}

resource "aws_lakeformation_data_cells_filter" "wildcards" {
  table_data {
    database_name    = aws_glue_catalog_database.this.name
    name             = "everything"
    table_catalog_id = local.account
    table_name       = aws_glue_catalog_table.iceberg.name

    column_wildcard {
      excluded_column_names = ["user"]
    }

    row_filter {
      all_rows_wildcard {}
    }
  }
}

resource "aws_lakeformation_opt_in" "this" {
  principal {
    data_lake_principal_identifier = local.role
  }

  resource_data {
    database {
      name       = aws_glue_catalog_database.this.name
      catalog_id = local.account
    }
  }
}
