mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
}

variables {
  contracts = {
    for name in [
      "accelerometer_landing", "accelerometer_trusted", "customer_landing", "customer_trusted", "customers_curated", "landed_files",
      "machine_learning_curated", "rejected_records", "step_trainer_landing", "step_trainer_trusted",
    ] : name => yamldecode(file("../../../stedi_common/contracts/${name}.yaml"))
  }
  name             = "stedi-dev-engineer"
  results          = { bucket = "stedi-dev-results-111122223333", prefix = "engineer/", key_arn = "arn:aws:kms:eu-west-1:111122223333:key/operations" }
  scan_limit_bytes = 10737418240
  databases        = { landing = "stedi_dev_landing", trusted = "stedi_dev_trusted", curated = "stedi_dev_curated" }
}

run "nothing_is_offered_unasked" {
  command = plan

  assert {
    condition     = length(aws_athena_named_query.this) == 0
    error_message = "A workgroup must offer only the queries that are named."
  }
}

run "a_query_is_ready_to_run" {
  command = plan
  variables {
    named_queries = [
      "consent_of_person", "counts_per_zone", "doubtful_files", "doubtful_people", "freshness", "landed_per_source", "lines_accounted_for",
      "no_duplicate_customer", "no_null_consent", "no_pair_outside_curated", "no_reading_before_consent", "pairs_per_day", "person_gone",
      "rejected_share", "skipped_files", "training_snapshots",
    ]
  }

  assert {
    condition     = toset(keys(local.queries)) == var.named_queries
    error_message = "Expected every query in queries/ to be tested here."
  }

  assert {
    condition = alltrue([
      for query in aws_athena_named_query.this : length(query.description) > 20 && startswith(query.query, "-- ${substr(query.description, 0, 20)}")
    ])
    error_message = "A query's description must be its first comment."
  }

  assert {
    condition     = alltrue([for query in aws_athena_named_query.this : !can(regex("\\$\\{|%\\{|;", query.query))])
    error_message = "A query must be one statement, with every name filled in."
  }

  assert {
    condition = alltrue(flatten([
      for query in aws_athena_named_query.this : [
        for table in regexall("(?:FROM|JOIN) \"([^\"]*)\"\\.\"([^\"$]*)(?:\\$snapshots)?\"", query.query) :
        fileexists("../../../stedi_common/contracts/${table[1]}.yaml") &&
        contains(yamldecode(file("../../../stedi_common/contracts/${table[1]}.yaml")).schema[0].customProperties[*].value, trimprefix(table[0], "stedi_dev_"))
      ]
    ]))
    error_message = "A query must name tables that have a contract, in the database of their zone."
  }
}

run "no_table_is_forgotten" {
  command = plan
  variables {
    named_queries = ["counts_per_zone", "freshness"]
  }

  assert {
    condition = alltrue([
      for file in fileset("../../../stedi_common/contracts", "*.yaml") :
      strcontains(aws_athena_named_query.this["counts_per_zone"].query, "\".\"${trimsuffix(file, ".yaml")}\"") &&
      strcontains(aws_athena_named_query.this["freshness"].query, "\".\"${trimsuffix(file, ".yaml")}$snapshots\"")
    ])
    error_message = "Every table must be counted, and asked when it changed."
  }
}

run "one_person_is_asked_for_everywhere" {
  command = plan
  variables {
    named_queries = ["consent_of_person", "person_gone"]
  }

  assert {
    condition     = alltrue([for query in aws_athena_named_query.this : strcontains(query.query, "lower(trim('person@example.com'))") && strcontains(query.description, "person@example.com")])
    error_message = "Whom a query asks for must be easy to find."
  }

  assert {
    condition = alltrue([
      for file in fileset("../../../stedi_common/contracts", "*.yaml") : strcontains(aws_athena_named_query.this["person_gone"].query, "\".\"${trimsuffix(file, ".yaml")}\"")
      if strcontains(file("../../../stedi_common/contracts/${file}"), "classification: pii")
    ])
    error_message = "A person must be looked for in every table with personal data."
  }
}

run "a_fourth_source_is_asked_for_too" {
  command = plan
  variables {
    contracts = merge(
      {
        for name in ["customer_landing", "customer_trusted", "customers_curated"] :
        name => yamldecode(file("../../../stedi_common/contracts/${name}.yaml"))
      },
      {
        for name in ["heart_rate_landing", "heart_rate_trusted"] :
        name => yamldecode(file("../../lakehouse/tests/heart_rate/contracts/${name}.yaml"))
      },
    )
    named_queries = ["consent_of_person", "counts_per_zone", "freshness", "no_reading_before_consent", "person_gone"]
  }

  assert {
    condition = alltrue(flatten([
      for zone in ["landing", "trusted"] : [
        for query, of in { counts_per_zone = "", freshness = "$snapshots", person_gone = "" } :
        strcontains(aws_athena_named_query.this[query].query, "\"stedi_dev_${zone}\".\"heart_rate_${zone}${of}\"")
      ]
    ]))
    error_message = "Tables of a project must be counted, asked when they changed, and searched for a person."
  }

  assert {
    condition = alltrue([
      for query in ["consent_of_person", "no_reading_before_consent"] :
      strcontains(aws_athena_named_query.this[query].query, "\"stedi_dev_trusted\".\"heart_rate_trusted\"")
    ])
    error_message = "Readings of a project must be held against the consent."
  }
}

run "a_table_that_names_nobody_is_not_passed_over" {
  command = plan
  variables {
    contracts = {
      pulses = { schema = [{
        customProperties = [{ property = "zone", value = "trusted" }]
        properties       = [{ name = "wearer", classification = "pii" }, { name = "at", classification = "internal", partitioned = true }]
      }] }
    }
    named_queries = ["no_reading_before_consent", "person_gone"]
  }

  assert {
    condition = alltrue([
      for query in aws_athena_named_query.this : strcontains(query.query, "'pulses' AS table_name, CAST(NULL AS bigint)")
    ])
    error_message = "Where nobody can be looked for, the answer must be null, not 0."
  }
}

run "refuses_a_query_that_is_not_there" {
  command = plan
  variables {
    named_queries = ["drop_everything"]
  }
  expect_failures = [var.named_queries]
}
