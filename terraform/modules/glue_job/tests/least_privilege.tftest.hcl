mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/job" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:111122223333:log-group:group" }
  }
}

run "a_job_does_what_its_tables_need" {
  assert {
    condition = { for statement in local.statements : statement.Sid => statement.Action } == {
      Code                = ["s3:GetObject"]
      PseudonymKey        = ["secretsmanager:GetSecretValue"]
      FindTables          = ["glue:GetTable"]
      CommitToTables      = ["glue:UpdateTable"]
      ReadTables          = ["s3:GetObject"]
      WriteTables         = ["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:PutObject"]
      Decrypt             = ["kms:Decrypt"]
      Encrypt             = ["kms:GenerateDataKey"]
      DecryptPseudonymKey = ["kms:Decrypt"]
      Log                 = ["logs:AssociateKmsKey", "logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
      Metrics             = ["cloudwatch:PutMetricData"]
    }
    error_message = "A job that lands nothing must list, stage and delete nothing but its table's files."
  }

  assert {
    condition     = aws_iam_role_policy.this.policy == jsonencode({ Version = "2012-10-17", Statement = local.statements })
    error_message = "The role must be allowed just these."
  }

  assert {
    condition = jsonencode({ for statement in local.statements : statement.Sid => statement.Resource if contains(["ReadTables", "WriteTables", "CommitToTables", "Encrypt"], statement.Sid) }) == jsonencode({
      ReadTables     = ["arn:aws:s3:::landing/landing/customer_landing/*", "arn:aws:s3:::trusted/trusted/customer_trusted/*"]
      WriteTables    = ["arn:aws:s3:::trusted/trusted/customer_trusted/*"]
      CommitToTables = ["arn:aws:glue:eu-west-1:111122223333:catalog", "arn:aws:glue:eu-west-1:111122223333:database/stedi_dev_trusted", "arn:aws:glue:eu-west-1:111122223333:table/stedi_dev_trusted/customer_trusted"]
      Encrypt        = ["arn:aws:kms:eu-west-1:111122223333:key/trusted"]
    })
    error_message = "It must write nothing but its own table, and not read the rows of that."
  }

  assert {
    condition     = alltrue([for statement in local.statements : alltrue([for action in statement.Action : !strcontains(action, "*")])])
    error_message = "No action may stand for others."
  }

  assert {
    condition     = [for statement in local.statements : [statement.Action, statement.Condition] if contains(statement.Resource, "*")] == [[["cloudwatch:PutMetricData"], { StringEquals = { "cloudwatch:namespace" = "Glue" } }]]
    error_message = "Only metrics, for which AWS has no resources, may be of any; of Glue's namespace."
  }

  assert {
    condition     = alltrue([for statement in local.statements : can(statement.Condition.StringEquals["kms:ViaService"]) if anytrue([for action in statement.Action : startswith(action, "kms:")])])
    error_message = "Keys must be used by S3 and Secrets Manager alone."
  }
}

run "the_embedded_engine_asks_for_databases_and_files" {
  variables {
    embedded = true
  }

  assert {
    condition = jsonencode({ for statement in local.statements : statement.Sid => [statement.Action, statement.Resource] if contains(["ListTables", "FindDatabases"], statement.Sid) }) == jsonencode({
      FindDatabases = [["glue:GetDatabase"], ["arn:aws:glue:eu-west-1:111122223333:catalog", "arn:aws:glue:eu-west-1:111122223333:database/stedi_dev_trusted"]]
      ListTables    = [["s3:ListBucket"], ["arn:aws:s3:::landing", "arn:aws:s3:::trusted"]]
    })
    error_message = "It must find the databases that it writes to, and list the buckets of its tables."
  }
}

run "who_maintains_tables_lists_their_files" {
  variables {
    maintains = true
  }

  assert {
    condition     = jsonencode([for statement in local.statements : statement.Action if contains(["ListTables", "FindDatabases"], statement.Sid)]) == jsonencode([["s3:ListBucket"]])
    error_message = "It must list the buckets of its tables, and no more."
  }
}

run "a_job_may_see_more_names_than_it_reads" {
  variables {
    drops = { bucket_arn = "arn:aws:s3:::drops", key_arn = "arn:aws:kms:eu-west-1:111122223333:key/landing", prefix = "customer/", lists = "*" }
  }

  assert {
    condition = { for statement in local.statements : statement.Sid => [statement.Resource, try(statement.Condition, null)] if contains(["ListDrops", "ReadDrops"], statement.Sid) } == {
      ListDrops = [["arn:aws:s3:::drops"], null]
      ReadDrops = [["arn:aws:s3:::drops/customer/*"], null]
    }
    error_message = "It must list the bucket and read what lies below its prefix."
  }
}

run "a_job_that_lands_everything_lists_everything" {
  variables {
    drops = { bucket_arn = "arn:aws:s3:::drops", key_arn = "arn:aws:kms:eu-west-1:111122223333:key/landing", prefix = "" }
  }

  assert {
    condition = { for statement in local.statements : statement.Sid => [statement.Resource, try(statement.Condition, null)] if contains(["ListDrops", "ReadDrops"], statement.Sid) } == {
      ListDrops = [["arn:aws:s3:::drops"], null]
      ReadDrops = [["arn:aws:s3:::drops/*"], null]
    }
    error_message = "It must list and read the whole bucket."
  }
}

run "a_job_that_lands_reads_back_what_has_landed" {
  variables {
    drops   = { bucket_arn = "arn:aws:s3:::drops", key_arn = "arn:aws:kms:eu-west-1:111122223333:key/landing", prefix = "customer/" }
    staging = { bucket_arn = "arn:aws:s3:::landing", key_arn = "arn:aws:kms:eu-west-1:111122223333:key/staging", prefix = ".staging-" }
    reads   = []
  }

  assert {
    condition = { for statement in local.statements : statement.Sid => [statement.Action, statement.Resource, try(statement.Condition, null)] if contains(["ListDrops", "ReadDrops", "ListStaged", "Stage"], statement.Sid) } == {
      ListDrops  = [["s3:ListBucket"], ["arn:aws:s3:::drops"], { StringLike = { "s3:prefix" = "customer/*" } }]
      ReadDrops  = [["s3:GetObject"], ["arn:aws:s3:::drops/customer/*"], null]
      ListStaged = [["s3:ListBucket"], ["arn:aws:s3:::landing"], null]
      Stage      = [["s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"], ["arn:aws:s3:::landing/.staging-*"], null]
    }
    error_message = "It must read its own source's drops, never write them, and stage where it is told."
  }

  assert {
    condition     = contains(one([for statement in local.statements : statement.Resource if statement.Sid == "ReadTables"]), "arn:aws:s3:::trusted/trusted/customer_trusted/*")
    error_message = "It must read the rows that have landed."
  }

  assert {
    condition     = join(" ", one([for statement in local.statements : statement.Resource if statement.Sid == "Encrypt"])) == "arn:aws:kms:eu-west-1:111122223333:key/trusted arn:aws:kms:eu-west-1:111122223333:key/staging"
    error_message = "It must encrypt what it stages."
  }
}

run "only_glue_in_this_account_may_be_the_job" {
  assert {
    condition = jsondecode(aws_iam_role.this.assume_role_policy).Statement == [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "glue.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = "111122223333" } }
    }]
    error_message = "The role must trust Glue for this account, and nobody else."
  }
}

run "a_table_to_write_is_wanted" {
  command = plan
  variables {
    writes = []
  }
  expect_failures = [var.writes]
}
