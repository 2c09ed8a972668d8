resource "aws_glue_catalog_database" "this" {
  name         = var.name
  description  = "A database, ${var.revision}."
  location_uri = "s3://${var.bucket}/${var.name}"
  parameters   = { zone = "trusted" }
  tags         = { team = "lake", revision = var.revision }
}

resource "aws_glue_catalog_table" "iceberg" {
  database_name = aws_glue_catalog_database.this.name
  name          = "readings"
  description   = "An Iceberg table, ${var.revision}."
  table_type    = "EXTERNAL_TABLE"

  storage_descriptor {
    location = "s3://${var.bucket}/${var.name}/readings"

    columns {
      name    = "user"
      type    = "string"
      comment = "Who."
    }
    columns {
      name = "at"
      type = "timestamp"
    }
    columns {
      name = "points"
      type = "array<struct<x:double,y:double>>"
    }
  }

  open_table_format_input {
    iceberg_input {
      metadata_operation = "CREATE"
      version            = "2"
    }
  }
}

resource "aws_glue_catalog_table" "hive" {
  database_name = aws_glue_catalog_database.this.name
  name          = "drops"
  table_type    = "EXTERNAL_TABLE"
  parameters    = { classification = "json" }

  partition_keys {
    name = "day"
    type = "date"
  }

  partition_index {
    index_name = "by_day"
    keys       = ["day"]
  }

  storage_descriptor {
    location      = "s3://${var.bucket}/${var.name}/drops"
    input_format  = "org.apache.hadoop.mapred.TextInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat"

    ser_de_info {
      serialization_library = "org.openx.data.jsonserde.JsonSerDe"
    }

    columns {
      name = "line"
      type = "string"
    }
  }
}

resource "aws_glue_partition" "first" {
  database_name    = aws_glue_catalog_database.this.name
  table_name       = aws_glue_catalog_table.hive.name
  partition_values = ["2024-01-01"]

  storage_descriptor {
    location = "s3://${var.bucket}/${var.name}/drops/2024-01-01"

    columns {
      name = "line"
      type = "string"
    }
  }
}

resource "aws_glue_catalog_table_optimizer" "retention" {
  catalog_id    = local.account
  database_name = aws_glue_catalog_database.this.name
  table_name    = aws_glue_catalog_table.iceberg.name
  type          = "retention"

  configuration {
    role_arn = local.role
    enabled  = true

    retention_configuration {
      iceberg_configuration {
        snapshot_retention_period_in_days = 7
        number_of_snapshots_to_retain     = 1
        clean_expired_files               = true
      }
    }
  }
}

resource "aws_glue_catalog_table_optimizer" "compaction" {
  catalog_id    = local.account
  database_name = aws_glue_catalog_database.this.name
  table_name    = aws_glue_catalog_table.iceberg.name
  type          = "compaction"

  configuration {
    role_arn = local.role
    enabled  = var.revision == "second"
  }
}

resource "aws_glue_security_configuration" "this" {
  name = var.name

  encryption_configuration {
    cloudwatch_encryption {
      cloudwatch_encryption_mode = "DISABLED"
    }
    job_bookmarks_encryption {
      job_bookmarks_encryption_mode = "DISABLED"
    }
    s3_encryption {
      s3_encryption_mode = "SSE-S3"
    }
  }
}

resource "aws_glue_job" "this" {
  name                   = var.name
  description            = "A job, ${var.revision}."
  role_arn               = local.role
  glue_version           = "5.0"
  worker_type            = "G.1X"
  number_of_workers      = 2
  timeout                = 10
  max_retries            = 1
  security_configuration = aws_glue_security_configuration.this.name
  tags                   = { team = "lake", revision = var.revision }

  command {
    name            = "glueetl"
    python_version  = "3"
    script_location = "s3://${var.bucket}/${var.name}/job.py"
  }

  default_arguments = {
    "--datalake-formats" = "iceberg"
    "--job-language"     = "python"
  }

  execution_property {
    max_concurrent_runs = 3
  }
}
