# Every step of a job prints one line of JSON when it is done, whatever it found. These filters count what the lines say.
#   land:        {"job": "land", "source": "customer", "lines": 7, "landed": 5, "rejected": 1, …}
#   the others:  {"job": "…", "table": "customer_trusted", "rows_in": 5, "rows_kept": 3, …}

locals {
  # Landing tables and their sources have one name; rejected_records and landed_files come with every source.
  written        = sort(distinct(flatten([for job in var.jobs : tolist(job.tables)])))
  landing_tables = [for table in local.written : table if endswith(table, "_landing")]
  sources        = [for table in local.landing_tables : trimsuffix(table, "_landing")]
  made_tables    = setsubtract(local.written, concat(local.landing_tables, ["rejected_records", "landed_files"]))
  counts = {
    Lines    = { of = local.landing_tables, field = "$.lines", dimensions = { Source = "$.source" } }
    Landed   = { of = local.landing_tables, field = "$.landed", dimensions = { Source = "$.source" } }
    Rejected = { of = local.landing_tables, field = "$.rejected", dimensions = { Source = "$.source" } }
    RowsKept = { of = local.made_tables, field = "$.rows_kept", dimensions = { Table = "$.table" } }
  }

  filters = merge([
    for name, job in var.jobs : {
      for metric, count in local.counts : "${name}-${metric}" => {
        log_group  = job.log_group
        metric     = metric
        field      = count.field
        dimensions = count.dimensions
      } if length(setintersection(job.tables, count.of)) > 0
    }
  ]...)
}

resource "aws_cloudwatch_log_metric_filter" "this" {
  for_each = local.filters

  name           = "${var.prefix}-${each.key}"
  log_group_name = each.value.log_group
  pattern        = "{ ${each.value.field} >= 0 }"

  metric_transformation {
    namespace  = var.prefix
    name       = each.value.metric
    value      = each.value.field
    dimensions = each.value.dimensions
    unit       = "Count"
  }
}
