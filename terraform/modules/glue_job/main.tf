resource "aws_glue_job" "this" {
  name                   = var.name
  description            = var.description
  role_arn               = aws_iam_role.this.arn
  security_configuration = local.security_configuration
  glue_version           = var.capacity.glue_version
  worker_type            = var.capacity.worker_type
  number_of_workers      = var.capacity.workers
  execution_class        = var.capacity.flex ? "FLEX" : "STANDARD"
  timeout                = var.capacity.timeout_minutes
  max_retries            = var.capacity.max_retries

  # A commit wants the head that the run has read: of two runs at once one would work for nothing.
  execution_property {
    max_concurrent_runs = 1
  }

  command {
    name            = "glueetl"
    python_version  = "3"
    script_location = var.script
  }

  default_arguments = merge(local.glue_arguments, var.arguments)

  # Without them a run fails, or Glue makes log groups that are kept for ever.
  depends_on = [aws_iam_role_policy.this, aws_cloudwatch_log_group.this]
}

locals {
  spark = {
    "spark.sql.extensions"       = "org.apache.iceberg.spark.extensions.IcebergSparkSessionExtensions"
    "spark.sql.session.timeZone" = "UTC"
  }

  glue_arguments = merge({
    "--job-language"     = "python"
    "--datalake-formats" = "iceberg"
    # Glue takes --conf once, so settings are chained.
    "--conf"                      = join(" --conf ", [for name, value in local.spark : "${name}=${value}"])
    "--additional-python-modules" = var.wheels
    # From the zip alone, which holds all that is needed: no index is asked, so the job starts in a closed network, and as it
    # was tested. The wheel's other dependencies are for a laptop.
    "--python-modules-installer-option" = "--no-index --no-deps"
    "--enable-metrics"                  = "true"
    "--enable-observability-metrics"    = "true"
    # On unless told otherwise; it copies exceptions into logs, and an engine's exception quotes the rows.
    "--enable-job-insights" = "false"
    # Glue hands them to Spark's executors, too.
  }, length(var.packages) == 0 ? {} : { "--extra-py-files" = join(",", var.packages) })
}
