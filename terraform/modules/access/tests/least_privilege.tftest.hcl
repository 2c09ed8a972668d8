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

run "every_action_is_named" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for policy in aws_iam_role_policy.this : [
        for action in flatten(jsondecode(policy.policy).Statement[*].Action) : can(regex("^[a-z0-9]+:[A-Za-z]+$", action))
      ]
    ]))
    error_message = "Every action must be named."
  }
}

run "every_resource_is_named_where_aws_has_names" {
  command = plan

  assert {
    condition = {
      for role, policy in aws_iam_role_policy.this : role => [
        for statement in jsondecode(policy.policy).Statement : statement.Action if contains(flatten([statement.Resource]), "*")
      ]
      } == {
      researcher      = ["athena:ListWorkGroups"]
      engineer        = ["athena:ListWorkGroups", "cloudwatch:GetMetricData"]
      privacy_officer = ["athena:ListWorkGroups"]
    }
    error_message = "Only what AWS offers nothing narrower for may be allowed on every resource."
  }
}

run "nobody_writes_but_results" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for role, policy in aws_iam_role_policy.this : [
        for statement in jsondecode(policy.policy).Statement :
        statement.Resource == "arn:aws:s3:::stedi-dev-results-111122223333/${role}/*"
        if length(regexall("s3:(Put|Delete|Abort)", join(",", flatten([statement.Action])))) > 0
      ]
    ]))
    error_message = "A role must write nothing but its own results."
  }

  assert {
    condition = alltrue(flatten([
      for policy in aws_iam_role_policy.this : [
        for action in flatten(jsondecode(policy.policy).Statement[*].Action) :
        !can(regex("^(glue:(Create|Update|Delete|BatchCreate|BatchDelete)|lakeformation:|iam:|s3:Delete|s3:PutBucket|kms:(Put|Create|Schedule))", action))
      ]
    ]))
    error_message = "No role must change a definition, a permission or a key."
  }
}

run "no_role_queries_in_anothers_workgroup_or_reads_its_results" {
  command = plan

  assert {
    condition = alltrue(flatten([
      for role, policy in aws_iam_role_policy.this : [
        for other in keys(aws_iam_role_policy.this) :
        !strcontains(policy.policy, "workgroup/stedi-dev-${replace(other, "_", "-")}") && !strcontains(policy.policy, "stedi-dev-results-111122223333/${other}/")
        if other != role
      ]
    ]))
    error_message = "A role's workgroup and results must be its own."
  }
}

run "engineer_sees_no_personal_data" {
  command = plan

  assert {
    condition     = output.readable_tables.engineer == tolist(["landed_files", "rejected_records"])
    error_message = "An engineer must read where lines came in and why they were rejected, nothing else."
  }

  assert {
    condition = toset(flatten([
      for statement in jsondecode(aws_iam_role_policy.this["engineer"].policy).Statement : statement.Resource
      if contains(flatten([statement.Action]), "s3:GetObject")
      ])) == toset([
      "arn:aws:s3:::stedi-dev-landing-111122223333/landing/landed_files/*",
      "arn:aws:s3:::stedi-dev-landing-111122223333/landing/rejected_records/*",
      "arn:aws:s3:::stedi-dev-results-111122223333/engineer/*",
    ])
    error_message = "An engineer must read the objects of those tables and their own results only."
  }
}

run "engineer_operates_what_is_ours" {
  command = plan

  assert {
    condition = {
      for statement in jsondecode(aws_iam_role_policy.this["engineer"].policy).Statement : statement.Sid => flatten([statement.Resource])
      if contains(["Run", "WatchRuns", "RunJobs", "ReadLogs", "ReadDashboard"], statement.Sid)
      } == {
      Run       = ["arn:aws:states:eu-west-1:111122223333:stateMachine:stedi-dev"]
      WatchRuns = ["arn:aws:states:eu-west-1:111122223333:execution:stedi-dev:*"]
      RunJobs = [
        "arn:aws:glue:eu-west-1:111122223333:job/stedi-dev-customer-landing-to-trusted",
        "arn:aws:glue:eu-west-1:111122223333:job/stedi-dev-land-customer",
      ]
      ReadLogs = [
        "arn:aws:logs:eu-west-1:111122223333:log-group:/aws-glue/jobs/stedi-dev-customer-landing-to-trusted/error:*",
        "arn:aws:logs:eu-west-1:111122223333:log-group:/aws-glue/jobs/stedi-dev-customer-landing-to-trusted/output:*",
        "arn:aws:logs:eu-west-1:111122223333:log-group:/aws-glue/jobs/stedi-dev-land-customer/error:*",
        "arn:aws:logs:eu-west-1:111122223333:log-group:/aws-glue/jobs/stedi-dev-land-customer/output:*",
      ]
      ReadDashboard = [
        "arn:aws:cloudwatch::111122223333:dashboard/stedi-dev",
        "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:stedi-dev-*",
      ]
    }
    error_message = "An engineer must operate this lake's state machine, jobs, logs and dashboard."
  }
}

run "privacy_officer_reads_everything" {
  command = plan

  assert {
    condition     = output.readable_tables.privacy_officer == sort(keys(var.tables))
    error_message = "A privacy officer must read every table."
  }
}

run "refuses_a_shared_workgroup" {
  command = plan
  variables {
    workgroups = {
      researcher      = { arn = "arn:1", results = { bucket_arn = "b", prefix = "researcher/", key_arn = "k" } }
      engineer        = { arn = "arn:1", results = { bucket_arn = "b", prefix = "engineer/", key_arn = "k" } }
      privacy_officer = { arn = "arn:3", results = { bucket_arn = "b", prefix = "privacy_officer/", key_arn = "k" } }
    }
  }
  expect_failures = [var.workgroups]
}

run "refuses_results_that_are_no_folder" {
  command = plan
  variables {
    workgroups = {
      researcher      = { arn = "arn:1", results = { bucket_arn = "b", prefix = "researcher", key_arn = "k" } }
      engineer        = { arn = "arn:2", results = { bucket_arn = "b", prefix = "engineer/", key_arn = "k" } }
      privacy_officer = { arn = "arn:3", results = { bucket_arn = "b", prefix = "privacy_officer/", key_arn = "k" } }
    }
  }
  expect_failures = [var.workgroups]
}

run "refuses_results_below_anothers" {
  command = plan
  variables {
    workgroups = {
      researcher      = { arn = "arn:1", results = { bucket_arn = "b", prefix = "engineer/researcher/", key_arn = "k" } }
      engineer        = { arn = "arn:2", results = { bucket_arn = "b", prefix = "engineer/", key_arn = "k" } }
      privacy_officer = { arn = "arn:3", results = { bucket_arn = "b", prefix = "privacy_officer/", key_arn = "k" } }
    }
  }
  expect_failures = [var.workgroups]
}
