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

# The tables that queries go over: zone by zone, and by name.
locals {
  tables = flatten([
    for zone in ["landing", "trusted", "curated"] : [
      for name, contract in var.contracts : {
        name     = name
        zone     = zone
        database = var.databases[zone]
        columns  = contract.schema[0].properties[*].name
        # When a row's reading was made.
        at = concat([for column in contract.schema[0].properties : column.name if lookup(column, "partitioned", false)], [null])[0]
        # What names a person, best first: in a table without any of these nobody can be looked for.
        whose = concat([for column in ["email", "user", "serialnumber"] : column if contains(contract.schema[0].properties[*].name, column)], [null])[0]
        # Of landing tables only what sources bring.
        has_people = zone != "landing" || endswith(name, "_landing")
      } if contains([for property in contract.schema[0].customProperties : property.value if property.property == "zone"], zone)
    ]
  ])

  listed = {
    tables    = local.tables
    of_people = [for table in local.tables : table if table.has_people]
    consents  = [for table in local.tables : table if contains(table.columns, "consent_start")]
    # Trusted readings, by the address or by the device of who made them.
    readings = [for table in local.tables : table if table.zone == "trusted" && table.at != null]
  }

  queries = {
    for file in fileset("${path.module}/queries", "*.sql") :
    trimsuffix(file, ".sql") => templatefile("${path.module}/queries/${file}", merge(var.databases, local.listed))
  }

  # What a query tells stands in its first comment.
  descriptions = {
    for name, sql in local.queries :
    name => join(" ", [for line in split("\n", sql) : trimprefix(line, "-- ") if startswith(line, "-- ")])
  }
}
