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
}

run "researcher_reads_one_table" {
  command = plan

  assert {
    condition     = output.readable_tables.researcher == tolist(["machine_learning_curated"])
    error_message = "A researcher must read machine_learning_curated and nothing else."
  }

  assert {
    condition = toset(flatten([
      for statement in jsondecode(aws_iam_role_policy.this["researcher"].policy).Statement : statement.Resource
      if contains(flatten([statement.Action]), "s3:GetObject")
      ])) == toset([
      "arn:aws:s3:::stedi-dev-curated-111122223333/curated/machine_learning_curated/*",
      "arn:aws:s3:::stedi-dev-results-111122223333/researcher/*",
    ])
    error_message = "A researcher must read the objects of that table and their own results only."
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.this["researcher"].policy).Statement : statement.Resource
      if contains(flatten([statement.Action]), "glue:GetTable")
      ] == [[
        "arn:aws:glue:eu-west-1:111122223333:catalog",
        "arn:aws:glue:eu-west-1:111122223333:database/stedi_dev_curated",
        "arn:aws:glue:eu-west-1:111122223333:table/stedi_dev_curated/machine_learning_curated",
    ]]
    error_message = "A researcher must see the definition of that table only."
  }
}

run "only_their_key_and_only_through_s3" {
  command = plan

  assert {
    condition = toset([
      for statement in jsondecode(aws_iam_role_policy.this["researcher"].policy).Statement :
      "${join(",", flatten([statement.Resource]))} ${statement.Condition.StringEquals["kms:ViaService"]}"
      if strcontains(join(",", flatten([statement.Action])), "kms:")
      ]) == toset([
      "arn:aws:kms:eu-west-1:111122223333:key/curated s3.eu-west-1.amazonaws.com",
      "arn:aws:kms:eu-west-1:111122223333:key/operations s3.eu-west-1.amazonaws.com",
    ])
    error_message = "A researcher must decrypt only what S3 reads for them, with the curated key and that of the results."
  }
}

run "lists_no_other_prefix" {
  command = plan

  assert {
    condition = toset(flatten([
      for statement in jsondecode(aws_iam_role_policy.this["researcher"].policy).Statement :
      [for prefix in flatten([statement.Condition.StringLike["s3:prefix"]]) : "${statement.Resource}/${prefix}"]
      if statement.Action == "s3:ListBucket"
      ])) == toset([
      "arn:aws:s3:::stedi-dev-curated-111122223333/curated/machine_learning_curated/*",
      "arn:aws:s3:::stedi-dev-results-111122223333/researcher/*",
    ])
    error_message = "A researcher must list that table's prefix and their own results only."
  }
}

run "lake_formation_says_the_same" {
  command = plan

  assert {
    condition = {
      for expression in one(aws_lakeformation_permissions.people_tables["researcher"].lf_tag_policy).expression :
      expression.key => tolist(expression.values)
    } == { "stedi-dev_zone" = tolist(["curated"]), "stedi-dev_classification" = tolist(["pseudonymous"]) }
    error_message = "A researcher must be granted what is both curated and pseudonymous."
  }

  assert {
    condition     = aws_lakeformation_permissions.people_tables["researcher"].permissions == toset(["DESCRIBE", "SELECT"])
    error_message = "A researcher must describe and select, nothing else."
  }
}

run "a_workgroup_of_their_own" {
  command = plan

  assert {
    condition = toset(flatten([
      for statement in jsondecode(aws_iam_role_policy.this["researcher"].policy).Statement : statement.Resource
      if contains(flatten([statement.Action]), "athena:StartQueryExecution")
    ])) == toset(["arn:aws:athena:eu-west-1:111122223333:workgroup/stedi-dev-researcher"])
    error_message = "A researcher must query in the researchers' workgroup only."
  }
}
