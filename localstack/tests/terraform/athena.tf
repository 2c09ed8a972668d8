resource "aws_athena_workgroup" "this" {
  name          = var.name
  description   = "A workgroup, ${var.revision}."
  force_destroy = true
  tags          = { team = "lake", revision = var.revision }

  configuration {
    bytes_scanned_cutoff_per_query     = 10485760
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = false

    result_configuration {
      output_location = "s3://${var.bucket}/${var.name}/results/"

      encryption_configuration {
        encryption_option = "SSE_S3"
      }
    }
  }
}

resource "aws_athena_named_query" "this" {
  name        = var.name
  description = "A query, ${var.revision}."
  workgroup   = aws_athena_workgroup.this.id
  database    = aws_glue_catalog_database.this.name
  query       = "SELECT count(*) FROM readings"
}
