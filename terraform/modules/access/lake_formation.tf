# Lake Formation says who sees which definition in the catalog: people by LF-tags, jobs by name.

locals {
  highest = ["pii", "pseudonymous", "internal"]

  # A database is as sensitive as the most sensitive of its tables.
  database_classification = {
    for zone in keys(var.databases) : zone => try(
      [for classification in local.highest : classification if anytrue([
        for table in var.tables : table.zone == zone && table.classification == classification
      ])][0],
      "internal",
    )
  }

  people = { for role in keys(local.assumable) : role => aws_iam_role.this[role].arn }

  reading = ["DESCRIBE", "SELECT"]
  writing = ["ALTER", "DELETE", "DESCRIBE", "INSERT", "SELECT"]

  # One grant per job and table, whether the job reads it, writes it or both.
  job_tables = merge([
    for name, job in var.jobs : {
      for table in setunion(job.reads, job.writes) : "${name}/${table}" => {
        role_arn    = job.role_arn
        table       = var.tables[table]
        permissions = contains(job.writes, table) ? local.writing : local.reading
      }
    }
  ]...)

  # Every job's session looks whether the three databases are there.
  machines = merge(
    { for name, job in var.jobs : name => job.role_arn },
    var.optimizer == null ? {} : { optimizer = var.optimizer.role_arn },
  )
}

resource "aws_lakeformation_lf_tag" "classification" {
  key    = "${var.prefix}_classification"
  values = local.highest
}

resource "aws_lakeformation_lf_tag" "zone" {
  key    = "${var.prefix}_zone"
  values = keys(var.databases)
}

# A database's tables have its zone, because they inherit its tags.
resource "aws_lakeformation_resource_lf_tags" "database" {
  for_each = var.databases

  database {
    name = each.value
  }

  lf_tag {
    key   = aws_lakeformation_lf_tag.classification.key
    value = local.database_classification[each.key]
  }

  lf_tag {
    key   = aws_lakeformation_lf_tag.zone.key
    value = each.key
  }
}

resource "aws_lakeformation_resource_lf_tags" "table" {
  for_each = var.tables

  table {
    database_name = each.value.database
    name          = each.value.name
  }

  lf_tag {
    key   = aws_lakeformation_lf_tag.classification.key
    value = each.value.classification
  }
}

resource "aws_lakeformation_permissions" "people_tables" {
  for_each = local.people

  principal   = each.value
  permissions = local.reading

  lf_tag_policy {
    resource_type = "TABLE"

    expression {
      key    = aws_lakeformation_lf_tag.zone.key
      values = local.readable[each.key].zones
    }

    expression {
      key    = aws_lakeformation_lf_tag.classification.key
      values = local.readable[each.key].classifications
    }
  }
}

resource "aws_lakeformation_permissions" "people_databases" {
  for_each = local.people

  principal   = each.value
  permissions = ["DESCRIBE"]

  lf_tag_policy {
    resource_type = "DATABASE"

    expression {
      key    = aws_lakeformation_lf_tag.zone.key
      values = local.readable[each.key].zones
    }
  }
}

resource "aws_lakeformation_permissions" "job_tables" {
  for_each = local.job_tables

  principal   = each.value.role_arn
  permissions = each.value.permissions

  table {
    database_name = each.value.table.database
    name          = each.value.table.name
  }
}

resource "aws_lakeformation_permissions" "optimizer_tables" {
  for_each = var.optimizer == null ? {} : var.tables

  principal = var.optimizer.role_arn
  # What AWS asks for to compact a table and to expire its snapshots.
  permissions = ["ALTER", "DELETE", "DESCRIBE", "INSERT"]

  table {
    database_name = each.value.database
    name          = each.value.name
  }
}

resource "aws_lakeformation_permissions" "machine_databases" {
  for_each = local.machines

  principal   = each.value
  permissions = ["DESCRIBE"]

  lf_tag_policy {
    resource_type = "DATABASE"

    expression {
      key    = aws_lakeformation_lf_tag.zone.key
      values = keys(var.databases)
    }
  }
}
