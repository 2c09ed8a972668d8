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

  # A table's custom properties: its zone, the job that makes it, the tables it is made from.
  lineage = {
    for name, contract in local.contracts :
    name => { for property in contract.schema[0].customProperties : property.property => property.value }
  }

  # Rule 14: a withdrawn person is gone from trusted and curated after 7 days, an erased one from every zone after 30.
  # A table's old snapshots end first, then the versions of the objects that they were made of. Glue and S3 each look
  # once a day.
  snapshot_days   = { landing = 20, trusted = 4, curated = 4 }
  noncurrent_days = 1
}
