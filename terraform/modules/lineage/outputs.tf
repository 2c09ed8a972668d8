output "contracts" {
  description = "All contracts, by the table's name."
  value       = local.contracts
}

output "tables" {
  description = "Of each table its zone, how many days an old snapshot stays, the job that makes it, and the tables that it is made from."
  value       = local.tables

  precondition {
    condition     = length(local.incomplete) == 0
    error_message = "contracts: expected the custom properties zone, snapshotDays and madeBy in every contract, got none in ${join(", ", local.incomplete)}."
  }

  precondition {
    condition     = length(distinct(local.makers)) == length(local.makers)
    error_message = "contracts: expected a job of its own for each table (madeBy), got ${join(", ", sort(local.makers))}."
  }
}

output "sources" {
  description = "What lands: the names of the contracts <source>_landing, without _landing."
  value       = local.sources
}

output "levels" {
  description = "The tables that are made, in the order of their dependencies: those of a level do not wait for each other."
  value       = local.levels

  precondition {
    condition     = length(local.unknown) == 0
    error_message = "contracts: expected tables that have a contract in madeFrom, got ${join(", ", local.unknown)}."
  }

  precondition {
    condition     = length(local.unplaced) == 0
    error_message = "contracts: expected every table to be made from tables that are made before it, over 8 levels at most; a cycle, or more levels, at ${join(", ", local.unplaced)}."
  }
}
