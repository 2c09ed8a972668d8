variable "prefix" {
  description = "The prefix of the names of roles."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,30}[a-z0-9]$", var.prefix))
    error_message = "prefix: expected lower case letters, digits and hyphens, as \"stedi-dev\", got \"${var.prefix}\"."
  }
}

variable "database_prefix" {
  description = "The prefix of the names of databases."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9_]{1,200}$", var.database_prefix))
    error_message = "database_prefix: expected lower case letters, digits and underscores, as \"stedi_dev\", got \"${var.database_prefix}\"."
  }
}

variable "contracts" {
  description = "The Open Data Contract of each table, decoded, by the table's name."
  type        = any
  nullable    = false

  validation {
    condition     = alltrue([for name, contract in var.contracts : try(contract.schema[0].name, "") == name])
    error_message = "contracts: expected each contract under the name of its table, got ${join(", ", keys(var.contracts))}."
  }

  validation {
    condition = alltrue(flatten([
      for contract in var.contracts : [
        for column in contract.schema[0].properties :
        contains(keys(local.types), column.physicalType)
      ]
    ]))
    error_message = "contracts: expected columns of the types ${join(", ", keys(local.types))}, got ${join(", ", distinct(flatten([for contract in var.contracts : contract.schema[0].properties[*].physicalType])))}."
  }

  validation {
    condition = alltrue(flatten([
      for contract in var.contracts : [
        for column in contract.schema[0].properties : contains(["internal", "pseudonymous", "pii"], column.classification)
      ]
    ]))
    error_message = "contracts: expected columns classified as internal, pseudonymous or pii, got ${join(", ", distinct(flatten([for contract in var.contracts : contract.schema[0].properties[*].classification])))}."
  }
}

variable "zones" {
  description = "The bucket for the tables of each zone, and the key that encrypts it."
  type        = map(object({ bucket = string, bucket_arn = string, key_arn = string }))
  nullable    = false

  validation {
    condition = alltrue(flatten([
      for contract in var.contracts : [
        for property in contract.schema[0].customProperties :
        contains(keys(var.zones), property.value) if property.property == "zone"
      ]
    ]))
    error_message = "zones: expected the zones that the contracts name, got ${join(", ", keys(var.zones))}."
  }
}

variable "optimizers" {
  description = "Whether Glue maintains the tables, and how many days it keeps the old snapshots of a zone. Rule 14 sets the maximum."
  type        = object({ enabled = bool, snapshot_days = map(number) })
  nullable    = false

  validation {
    condition     = toset(keys(var.optimizers.snapshot_days)) == toset(keys(var.zones))
    error_message = "optimizers.snapshot_days: expected the zones ${join(", ", keys(var.zones))}, got ${join(", ", keys(var.optimizers.snapshot_days))}."
  }

  # A day less than rule 14 allows: Glue and S3 each look once a day, and S3 keeps what was deleted for a while.
  validation {
    condition = alltrue([
      for zone, days in var.optimizers.snapshot_days : days >= 1 && days <= (zone == "landing" ? 29 : 6)
    ])
    error_message = "optimizers.snapshot_days: expected 1 to 29 for landing and 1 to 6 for any other zone, got ${jsonencode(var.optimizers.snapshot_days)}."
  }
}
