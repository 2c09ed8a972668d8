locals {
  land_tables = [for name, table in local.lineage : name if table.madeBy == "land"]
  landed      = module.lineage.sources

  scripts = keys(module.artifacts.scripts)

  land_steps = {
    for source in local.landed : "land_${source}" => {
      script = "land"
      table  = "${source}_landing"
      reads  = []
      # Of the others it tells what it rejected, and which files have landed.
      writes = concat(["${source}_landing"], [for name in local.land_tables : name if !endswith(name, "_landing")])
      makes  = ["${source}_landing"]
      drops  = "${source}/"
      # One job tells which files lie outside of the sources' folders. It sees their names, and reads none of them.
      lists = source == "customer" ? "*" : null
      arguments = {
        "--source"  = source
        "--landing" = "s3://${module.bucket["drops"].name}"
      }
    }
  }

  table_steps = {
    for name, table in local.lineage : table.madeBy => {
      script = contains(local.scripts, table.madeBy) ? table.madeBy : "make_table"
      table  = name
      # Who reads customer records expects as many as have landed.
      reads  = concat(table.madeFrom, contains(table.madeFrom, "customer_landing") ? ["landed_files"] : [])
      writes = [name]
      makes  = [name]
      drops  = null
      lists  = null
      # Which table it makes, a script of its own knows.
      arguments = { for job in [table.madeBy] : "--job" => job if !contains(local.scripts, job) }
    } if table.madeBy != "land"
  }

  # What landed and a table's rows are joined with: its first source is what they are made of.
  joined = flatten([
    for table in local.lineage : [for place, source in table.madeFrom : source if place > 0 && contains(local.land_tables, source)]
  ])

  # Of each table that is made of what landed, the landing table.
  made_of = {
    for name, table in local.lineage : name => table.madeFrom[0]
    if table.madeBy != "land" && contains(local.land_tables, try(table.madeFrom[0], ""))
  }

  # Landing tables of people, and those with columns that the table made of it lacks: its rows cannot be classified again
  # without them.
  classified_as_landed = [
    for name, source in local.made_of : source
    if !contains(local.partitioned, source) ||
    length(setsubtract(local.columns[source], concat(local.columns[name], local.added_at_landing))) > 0
  ]

  # Before any table is made, what customers no longer consent to leaves all of them. The tables' own rows are classified
  # again wherever they can be, so that it sees no reading that was not admitted. While customer records are missing, of
  # which landed_files has the number, nobody knows who has withdrawn.
  removal_steps = {
    remove_withdrawn = {
      script    = "remove_withdrawn"
      table     = "withdrawals"
      reads     = distinct(concat(local.joined, local.classified_as_landed, ["landed_files"]))
      writes    = [for step in local.table_steps : step.table]
      makes     = []
      drops     = null
      lists     = null
      arguments = {}
    }
  }

  steps = merge(local.land_steps, local.removal_steps, local.table_steps)

  # Every step in one job: it may do what any of them may.
  one_job = {
    lakehouse = {
      script = "lakehouse"
      table  = "lakehouse"
      reads  = []
      writes = keys(local.contracts)
      makes  = keys(local.contracts)
      drops  = ""
      lists  = null
      arguments = merge(
        { "--landing" = "s3://${module.bucket["drops"].name}" },
        local.optimizers ? {} : { "--maintain" = "true" },
      )
    }
  }

  # Only what reads drops has a use for them.
  configured = { for name, job in local.jobs : name => module.artifacts.settings[*] if job.drops != null }

  jobs = { one-job = local.one_job, job-per-table = local.steps }[var.layout]

  arguments = merge(
    {
      "--lake"                 = local.lake
      "--engine"               = local.engine
      "--database_prefix"      = local.database_prefix
      "--environment"          = var.environment
      "--consent"              = var.policy.consent
      "--pairing"              = var.policy.pairing
      "--pseudonym_key_secret" = var.pseudonym_key.arn
    },
    var.rebuild ? { "--rebuild" = "true" } : {},
    [for file in module.artifacts.defective_serials[*] : { "--defective_serials" = file.uri }]...
  )
}

module "job" {
  source   = "../modules/glue_job"
  for_each = local.jobs

  name        = "${var.prefix}-${replace(each.key, "_", "-")}"
  description = each.key == "lakehouse" ? "Drops to training pairs." : "Makes ${each.value.table}."
  script      = module.artifacts.scripts[each.value.script]
  wheels      = module.artifacts.wheels
  packages    = module.artifacts.project[*]
  artifacts_arn = concat(
    [for arn in module.artifacts.object_arns : arn if endswith(arn, "/${each.value.script}.py") || endswith(arn, ".zip")],
    [for settings in lookup(local.configured, each.key, []) : settings.arn],
    module.artifacts.defective_serials[*].arn,
  )
  artifacts_key_arn = module.key["operations"].arn

  embedded  = local.engine != "spark"
  maintains = !local.optimizers

  reads  = [for name in each.value.reads : module.catalog.tables[name]]
  writes = [for name in each.value.writes : module.catalog.tables[name]]
  drops = each.value.drops == null ? null : {
    bucket_arn = module.bucket["drops"].arn
    key_arn    = module.key["landing"].arn
    prefix     = each.value.drops
    lists      = each.value.lists
  }
  staging = each.value.drops == null ? null : {
    bucket_arn = module.bucket["landing"].arn
    key_arn    = module.key["landing"].arn
    prefix     = ".staging-"
  }
  secret = var.pseudonym_key

  arguments = merge(
    local.arguments, each.value.arguments, [for settings in lookup(local.configured, each.key, []) : { "--config" = settings.uri }]...
  )
  capacity    = var.capacity
  log_key_arn = module.key["operations"].arn
  log_days    = var.retention.logs
}
