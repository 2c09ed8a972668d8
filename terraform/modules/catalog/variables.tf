variable "prefix" {
  description = "What the name of the optimizers' role starts with."
  type        = string
  nullable    = false
}

variable "database_prefix" {
  description = "What the names of the databases start with."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]*$", var.database_prefix))
    error_message = "database_prefix: expected a-z, 0-9 and _, a letter first, got \"${var.database_prefix}\"."
  }
}

variable "contracts" {
  description = "The tables' contracts by name, each as yamldecode reads its file."
  type        = any
  nullable    = false

  validation {
    condition     = alltrue([for name, contract in var.contracts : contract.schema[0].name == name])
    error_message = "contracts: expected each to be of the table that its key names."
  }
}

variable "zones" {
  description = "Where the tables of each zone lie, and the key that encrypts them."
  type        = map(object({ bucket = string, bucket_arn = string, key_arn = string }))
  nullable    = false
}

variable "optimizers" {
  description = "Whether Glue compacts the tables, expires their snapshots and removes orphans; and by zone how many days a snapshot stays."
  type        = object({ enabled = bool, snapshot_days = map(number) })
  nullable    = false

  validation {
    condition     = alltrue([for zone in ["trusted", "curated"] : var.optimizers.snapshot_days[zone] <= 6])
    error_message = "optimizers.snapshot_days: expected at most 6 in trusted and curated, so that a withdrawn person is gone after 7."
  }

  validation {
    condition     = alltrue([for days in values(var.optimizers.snapshot_days) : days >= 1 && days <= 29])
    error_message = "optimizers.snapshot_days: expected 1 to 29 in every zone, so that an erased person is gone after 30."
  }
}
