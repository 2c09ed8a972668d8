# What follows from the contracts' custom properties: what lands, and which table is made before which.

locals {
  contracts = merge(var.contracts, var.project)

  # A table's custom properties: its zone, how long an old snapshot stays, the job that makes it, what it is made from.
  properties = {
    for name, contract in local.contracts :
    name => { for property in contract.schema[0].customProperties : property.property => property.value }
  }

  incomplete = [
    for name, table in local.properties : name if length(setsubtract(["zone", "snapshotDays", "madeBy"], keys(table))) > 0
  ]

  tables = {
    for name, table in local.properties : name => {
      zone         = lookup(table, "zone", "")
      snapshotDays = lookup(table, "snapshotDays", 0)
      madeBy       = lookup(table, "madeBy", "")
      madeFrom     = [for source in lookup(table, "madeFrom", []) : tostring(source)]
    }
  }

  landed  = [for name, table in local.tables : name if table.madeBy == "land"]
  sources = [for name in local.landed : trimsuffix(name, "_landing") if endswith(name, "_landing")]

  # Of each table that is made, the tables made before it.
  needs = {
    for name, table in local.tables : name => setsubtract(table.madeFrom, local.landed) if table.madeBy != "land"
  }

  # Terraform has no recursion: so many levels a lineage may have, and each line finds the tables that the lines above
  # make possible.
  made_1 = [for name, needs in local.needs : name if length(needs) == 0]
  made_2 = [for name, needs in local.needs : name if length(setsubtract(needs, local.made_1)) == 0]
  made_3 = [for name, needs in local.needs : name if length(setsubtract(needs, local.made_2)) == 0]
  made_4 = [for name, needs in local.needs : name if length(setsubtract(needs, local.made_3)) == 0]
  made_5 = [for name, needs in local.needs : name if length(setsubtract(needs, local.made_4)) == 0]
  made_6 = [for name, needs in local.needs : name if length(setsubtract(needs, local.made_5)) == 0]
  made_7 = [for name, needs in local.needs : name if length(setsubtract(needs, local.made_6)) == 0]
  made_8 = [for name, needs in local.needs : name if length(setsubtract(needs, local.made_7)) == 0]

  made = [
    [], local.made_1, local.made_2, local.made_3, local.made_4, local.made_5, local.made_6, local.made_7, local.made_8,
  ]
  levels = [
    for index in range(1, length(local.made)) : sort(setsubtract(local.made[index], local.made[index - 1]))
    if length(local.made[index]) > length(local.made[index - 1])
  ]

  unknown  = setsubtract(flatten([for table in local.tables : table.madeFrom]), keys(local.tables))
  unplaced = setsubtract(keys(local.needs), local.made_8)
  makers   = [for name in keys(local.needs) : local.tables[name].madeBy]
}
