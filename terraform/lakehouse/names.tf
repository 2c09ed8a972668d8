locals {
  account         = data.aws_caller_identity.current.account_id
  database_prefix = replace(var.prefix, "-", "_")

  # The wheel fills in the zone.
  lake = "s3://${var.prefix}-{zone}-${local.account}"

  # Spark takes longer to start than a small night takes on the embedded engine. In a job per table each of nine jobs would
  # install that engine, and whoever wants that layout has a lake for Spark. PyArrow of Glue 5.0 is too old for it.
  engine = coalesce(var.engine, var.layout == "one-job" && var.capacity.glue_version != "5.0" ? "auto" : "spark")
  # A run in one job maintains the tables in the end. Without a schedule there may be no other run before withdrawn people
  # must be gone.
  optimizers = var.optimizers == null ? var.layout == "job-per-table" || var.schedule == null : var.optimizers

  zip = local.engine == "spark" ? "stedi-spark.gluewheels.zip" : "stedi.gluewheels.zip"

  checkout = "${path.module}/../.."
  sources = {
    contracts = coalesce(var.sources.contracts, "${local.checkout}/stedi_common/contracts")
    jobs      = coalesce(var.sources.jobs, "${local.checkout}/jobs")
    wheels    = coalesce(var.sources.wheels, "${local.checkout}/dist/glue-${var.capacity.glue_version}-aws/${local.zip}")
  }

  # Of the package, and of a project's own tables.
  contracts_in = {
    for owner, folder in { package = local.sources.contracts, project = var.sources.project == null ? null : "${var.sources.project}/contracts" } :
    owner => {
      for file in(folder == null ? toset([]) : fileset(folder, "*.yaml")) :
      trimsuffix(file, ".yaml") => yamldecode(file("${folder}/${file}"))
    }
  }
  contracts = module.lineage.contracts
  lineage   = module.lineage.tables

  columns     = { for name, contract in local.contracts : name => contract.schema[0].properties[*].name }
  partitioned = [for name, contract in local.contracts : name if anytrue([for column in contract.schema[0].properties : try(column.partitioned, false)])]

  # The columns that landing adds to those of a source.
  added_at_landing = jsondecode(file("${local.checkout}/stedi_common/contracts/added_at_landing.json"))

  # Rule 14: a withdrawn person is gone from trusted and curated after 7 days, an erased one from every zone after 30.
  # A table's old snapshots end first, then the versions of the objects that they were made of. Glue and S3 each look
  # once a day.
  snapshot_days = {
    for zone in ["landing", "trusted", "curated"] :
    zone => min([for table in local.lineage : table.snapshotDays if table.zone == zone]...)
  }
  noncurrent_days = 1
}

module "lineage" {
  source = "../modules/lineage"

  contracts = local.contracts_in.package
  project   = local.contracts_in.project
}
