locals {
  account         = data.aws_caller_identity.current.account_id
  database_prefix = replace(var.prefix, "-", "_")

  # The wheel fills in the zone.
  lake = "s3://${var.prefix}-{zone}-${local.account}"

  checkout = "${path.module}/../.."
  sources = {
    contracts = coalesce(var.sources.contracts, "${local.checkout}/stedi_common/contracts")
    jobs      = coalesce(var.sources.jobs, "${local.checkout}/jobs")
    wheels    = coalesce(var.sources.wheels, "${local.checkout}/dist/glue-${var.capacity.glue_version}-aws/stedi.gluewheels.zip")
  }

  contracts = {
    for file in fileset(local.sources.contracts, "*.yaml") :
    trimsuffix(file, ".yaml") => yamldecode(file("${local.sources.contracts}/${file}"))
  }

  # A table's custom properties: its zone, how long an old snapshot stays, the job that makes it, what it is made from.
  lineage = {
    for name, contract in local.contracts :
    name => { for property in contract.schema[0].customProperties : property.property => property.value }
  }

  # Rule 14: a withdrawn person is gone from trusted and curated after 7 days, an erased one from every zone after 30.
  # A table's old snapshots end first, then the versions of the objects that they were made of. Glue and S3 each look
  # once a day.
  snapshot_days = {
    for zone in ["landing", "trusted", "curated"] :
    zone => min([for table in local.lineage : table.snapshotDays if table.zone == zone]...)
  }
  noncurrent_days = 1
}
