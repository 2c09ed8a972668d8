# Every table is made after the tables that it is made from, and as early as that allows.

mock_provider "aws" {}

variables {
  contracts = {
    customer_landing = { schema = [{ customProperties = [
      { property = "zone", value = "landing" }, { property = "snapshotDays", value = 20 }, { property = "madeBy", value = "land" },
    ] }] }
    landed_files = { schema = [{ customProperties = [
      { property = "zone", value = "landing" }, { property = "snapshotDays", value = 20 }, { property = "madeBy", value = "land" },
    ] }] }
    first = { schema = [{ customProperties = [
      { property = "zone", value = "trusted" }, { property = "snapshotDays", value = 4 }, { property = "madeBy", value = "make_first" },
      { property = "madeFrom", value = ["customer_landing"] },
    ] }] }
    third = { schema = [{ customProperties = [
      { property = "zone", value = "curated" }, { property = "snapshotDays", value = 4 }, { property = "madeBy", value = "make_third" },
      { property = "madeFrom", value = ["first", "second", "customer_landing"] },
    ] }] }
    second = { schema = [{ customProperties = [
      { property = "zone", value = "trusted" }, { property = "snapshotDays", value = 4 }, { property = "madeBy", value = "make_second" },
      { property = "madeFrom", value = ["first"] },
    ] }] }
  }
}

run "tables_by_depth" {
  command = plan

  assert {
    condition     = output.sources == ["customer"]
    error_message = "Only a contract named <source>_landing is of a source."
  }

  assert {
    condition     = jsonencode(output.levels) == jsonencode([["first"], ["second"], ["third"]])
    error_message = "Each table must come after those that it is made from."
  }
}

run "the_projects_tables_are_made_as_early_as_they_can_be" {
  command = plan
  variables {
    project = {
      heart_rate_landing = { schema = [{ customProperties = [
        { property = "zone", value = "landing" }, { property = "snapshotDays", value = 20 }, { property = "madeBy", value = "land" },
      ] }] }
      heart_rate_trusted = { schema = [{ customProperties = [
        { property = "zone", value = "trusted" }, { property = "snapshotDays", value = 4 }, { property = "madeBy", value = "heart_rate" },
        { property = "madeFrom", value = ["heart_rate_landing", "first"] },
      ] }] }
    }
  }

  assert {
    condition     = output.sources == ["customer", "heart_rate"] && length(output.contracts) == 7
    error_message = "The project's contracts must be added."
  }

  assert {
    condition     = jsonencode(output.levels) == jsonencode([["first"], ["heart_rate_trusted", "second"], ["third"]])
    error_message = "Tables of one level must not wait for each other."
  }
}

run "eight_levels_are_enough" {
  command = plan
  variables {
    project = { for level in range(4, 9) : "level_${level}" => { schema = [{ customProperties = [
      { property = "zone", value = "curated" }, { property = "snapshotDays", value = 4 }, { property = "madeBy", value = "make_${level}" },
      { property = "madeFrom", value = [level == 4 ? "third" : "level_${level - 1}"] },
    ] }] } }
  }

  assert {
    condition     = length(output.levels) == 8 && output.levels[7] == tolist(["level_8"])
    error_message = "A lineage of eight levels must be whole."
  }
}

run "refuses_more_levels" {
  command = plan
  variables {
    project = { for level in range(4, 10) : "level_${level}" => { schema = [{ customProperties = [
      { property = "zone", value = "curated" }, { property = "snapshotDays", value = 4 }, { property = "madeBy", value = "make_${level}" },
      { property = "madeFrom", value = [level == 4 ? "third" : "level_${level - 1}"] },
    ] }] } }
  }
  expect_failures = [output.levels]
}

run "refuses_a_cycle" {
  command = plan
  variables {
    project = { for name, from in { chicken = "egg", egg = "chicken" } : name => { schema = [{ customProperties = [
      { property = "zone", value = "curated" }, { property = "snapshotDays", value = 4 }, { property = "madeBy", value = "make_${name}" },
      { property = "madeFrom", value = [from] },
    ] }] } }
  }
  expect_failures = [output.levels]
}

run "refuses_a_table_without_a_contract" {
  command = plan
  variables {
    project = { orphan = { schema = [{ customProperties = [
      { property = "zone", value = "curated" }, { property = "snapshotDays", value = 4 }, { property = "madeBy", value = "make_orphan" },
      { property = "madeFrom", value = ["nowhere"] },
    ] }] } }
  }
  expect_failures = [output.levels]
}

run "refuses_a_job_that_makes_two_tables" {
  command = plan
  variables {
    project = { other = { schema = [{ customProperties = [
      { property = "zone", value = "curated" }, { property = "snapshotDays", value = 4 }, { property = "madeBy", value = "make_first" },
      { property = "madeFrom", value = ["first"] },
    ] }] } }
  }
  expect_failures = [output.tables]
}

run "refuses_a_contract_that_does_not_say_what_makes_it" {
  command = plan
  variables {
    project = { other = { schema = [{ customProperties = [{ property = "zone", value = "curated" }] }] } }
  }
  expect_failures = [output.tables]
}

run "refuses_a_table_that_the_package_has" {
  command = plan
  variables {
    project = { first = { schema = [{ customProperties = [] }] } }
  }
  expect_failures = [var.project]
}

run "refuses_a_lake_without_customers" {
  command = plan
  variables {
    contracts = { first = { schema = [{ customProperties = [] }] } }
  }
  expect_failures = [var.contracts]
}
