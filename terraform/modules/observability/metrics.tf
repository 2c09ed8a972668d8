# A step prints one line of JSON when its table is as it should be, whatever it found. These filters count what the lines say.
#   land:        {"job": "land", "table": "customer_landing", "lines": 7, "landed": 5, "rejected": 1, "doubtful": 1, "without_address": 0, …}
#   maintenance: {"job": "maintain_tables", "table": "maintenance", "failed": 0}
#   the others:  {"job": "…", "table": "customer_trusted", "rows_in": 5, "rows_kept": 3, …}

locals {
  # rejected_records and landed_files come with every landing and have no line of their own.
  written = setsubtract(flatten([for job in var.jobs : tolist(job.tables)]), ["rejected_records", "landed_files"])
  landed  = toset([for table in local.written : table if endswith(table, "_landing")])
  made    = setsubtract(local.written, local.landed)
  doubted = setintersection(local.landed, var.doubted)

  metrics = {
    Lines    = { field = "$.lines", tables = local.landed }
    Landed   = { field = "$.landed", tables = local.landed }
    Rejected = { field = "$.rejected", tables = local.landed }
    RowsKept = { field = "$.rows_kept", tables = local.made }
    # Of a table whose lines can be doubtful; a reading is landed or rejected.
    Doubtful       = { field = "$.doubtful", tables = local.doubted }
    WithoutAddress = { field = "$.without_address", tables = local.doubted }
  }

  # Its line has this in the place of a table.
  maintenance = "maintenance"
  maintaining = { for name, job in var.jobs : name => job.log_group if job.maintains }

  filters = merge([
    for name, job in var.jobs : merge(
      {
        for metric, of in local.metrics : "${name}-${metric}" => { log_group = job.log_group, metric = metric, field = of.field }
        if length(setintersection(job.tables, of.tables)) > 0
      },
      job.maintains ? { "${name}-NotMaintained" = { log_group = job.log_group, metric = "NotMaintained", field = "$.failed" } } : {},
    )
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
    dimensions = { Table = "$.table" }
    unit       = "Count"
  }
}
