variable "name" {
  description = "The workgroup's name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9._-]{1,128}$", var.name))
    error_message = "name: expected 1 to 128 of a-z, A-Z, 0-9, '.', '_' and '-', got \"${var.name}\"."
  }
}

variable "results" {
  description = "The place of results: a bucket, a prefix that nobody else writes to, and the key that encrypts them."
  type = object({
    bucket  = string
    prefix  = string
    key_arn = string
  })
  nullable = false

  validation {
    condition     = can(regex("^[^/].*/$", var.results.prefix))
    error_message = "results.prefix: expected a folder as \"researcher/\", got \"${var.results.prefix}\"."
  }
}

variable "scan_limit_bytes" {
  description = "The most bytes that one query may read."
  type        = number
  nullable    = false

  validation {
    condition     = var.scan_limit_bytes >= 10485760 && floor(var.scan_limit_bytes) == var.scan_limit_bytes
    error_message = "scan_limit_bytes: expected a whole number of at least 10485760, Athena's smallest, got ${var.scan_limit_bytes}."
  }
}

variable "databases" {
  description = "The name of the database of each zone: landing, trusted and curated."
  type        = object({ landing = string, trusted = string, curated = string })
  nullable    = false
}

variable "contracts" {
  description = "The Open Data Contract of each table, decoded, by the table's name: what the queries go over."
  type        = any
  nullable    = false
}

variable "named_queries" {
  description = "The named queries of the workgroup: names of files in queries/, without .sql."
  type        = set(string)
  default     = []
  nullable    = false

  validation {
    condition     = length(setsubtract(var.named_queries, [for file in fileset("${path.module}/queries", "*.sql") : trimsuffix(file, ".sql")])) == 0
    error_message = "named_queries: expected names of files in queries/, got ${join(", ", var.named_queries)}."
  }
}
