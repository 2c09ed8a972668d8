# A workgroup whose settings no query can change, and the queries that its users would otherwise write by hand.

data "aws_caller_identity" "current" {}

resource "aws_athena_workgroup" "this" {
  name        = var.name
  description = "Queries of ${var.name}: their results are encrypted, their reading is bounded."

  # Of a workgroup only its history of queries would be in the way.
  force_destroy = true

  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = true
    requester_pays_enabled             = false
    bytes_scanned_cutoff_per_query     = var.scan_limit_bytes

    engine_version {
      selected_engine_version = "Athena engine version 3"
    }

    result_configuration {
      output_location = "s3://${var.results.bucket}/${var.results.prefix}"
      # A bucket of this name in another account gets nothing.
      expected_bucket_owner = data.aws_caller_identity.current.account_id

      encryption_configuration {
        encryption_option = "SSE_KMS"
        kms_key_arn       = var.results.key_arn
      }
    }
  }
}

resource "aws_athena_named_query" "this" {
  for_each = var.named_queries

  name        = each.key
  description = local.descriptions[each.key]
  workgroup   = aws_athena_workgroup.this.id
  database    = var.databases["curated"]
  query       = local.queries[each.key]
}

locals {
  queries = {
    for file in fileset("${path.module}/queries", "*.sql") :
    trimsuffix(file, ".sql") => templatefile("${path.module}/queries/${file}", var.databases)
  }

  # What a query tells stands in its first comment.
  descriptions = {
    for name, sql in local.queries :
    name => join(" ", [for line in split("\n", sql) : trimprefix(line, "-- ") if startswith(line, "-- ")])
  }
}
