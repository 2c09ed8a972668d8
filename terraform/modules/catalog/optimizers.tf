# Once a day Glue compacts the tables, ends their old snapshots and deletes files that no snapshot knows.

locals {
  optimized = var.optimizers.enabled ? aws_glue_catalog_table.this : {}
}

resource "aws_glue_catalog_table_optimizer" "compaction" {
  for_each = local.optimized

  catalog_id    = local.account
  database_name = each.value.database_name
  table_name    = each.value.name
  type          = "compaction"

  configuration {
    role_arn = aws_iam_role.optimizer[0].arn
    enabled  = true
  }

  depends_on = [aws_iam_role_policy.optimizer]
}

resource "aws_glue_catalog_table_optimizer" "retention" {
  for_each = local.optimized

  catalog_id    = local.account
  database_name = each.value.database_name
  table_name    = each.value.name
  type          = "retention"

  configuration {
    role_arn = aws_iam_role.optimizer[0].arn
    enabled  = true

    retention_configuration {
      iceberg_configuration {
        snapshot_retention_period_in_days = var.optimizers.snapshot_days[local.contracts[each.key].zone]
        # More would keep a withdrawn person in a table that nobody writes to.
        number_of_snapshots_to_retain = 1
        clean_expired_files           = true
      }
    }
  }

  depends_on = [aws_iam_role_policy.optimizer]
}

resource "aws_glue_catalog_table_optimizer" "orphan_file_deletion" {
  for_each = local.optimized

  catalog_id    = local.account
  database_name = each.value.database_name
  table_name    = each.value.name
  type          = "orphan_file_deletion"

  configuration {
    role_arn = aws_iam_role.optimizer[0].arn
    enabled  = true

    orphan_file_deletion_configuration {
      iceberg_configuration {
        # Glue's own default. A file that no snapshot knows may also be of a commit that is under way.
        orphan_file_retention_period_in_days = 3
      }
    }
  }

  depends_on = [aws_iam_role_policy.optimizer]
}
