variable "prefix" {
  description = "The prefix of the names of roles and LF-tags."
  type        = string
  nullable    = false
}

variable "tables" {
  description = "Every table of the lake, by name. classification: the highest of its columns."
  type = map(object({
    name           = string
    zone           = string
    database       = string
    arn            = string
    database_arn   = string
    catalog_arn    = string
    bucket_arn     = string
    prefix         = string
    key_arn        = string
    classification = string
  }))
  nullable = false

  validation {
    condition     = alltrue([for table in var.tables : contains(["internal", "pseudonymous", "pii"], table.classification)])
    error_message = "tables: expected the classifications internal, pseudonymous and pii, got ${join(", ", distinct([for table in var.tables : table.classification]))}."
  }

  validation {
    condition     = alltrue([for table in var.tables : can(regex("^[^/].*/$", table.prefix))])
    error_message = "tables: expected prefixes that end a folder as \"trusted/customer_trusted/\", got ${join(", ", [for table in var.tables : table.prefix])}."
  }
}

variable "databases" {
  description = "The name of each zone's database."
  type        = map(string)
  nullable    = false
}

variable "jobs" {
  description = "The Glue jobs: the names of the tables that each reads and writes, its role, and its log groups."
  type = map(object({
    arn        = string
    role_arn   = string
    log_groups = object({ output = string, error = string })
    reads      = set(string)
    writes     = set(string)
  }))
  nullable = false

  validation {
    condition     = alltrue([for job in var.jobs : length(setsubtract(setunion(job.reads, job.writes), keys(var.tables))) == 0])
    error_message = "jobs: expected to read and write tables among ${join(", ", keys(var.tables))}."
  }
}

variable "state_machine_arn" {
  description = "The state machine that engineers operate."
  type        = string
  nullable    = false
}

variable "optimizer" {
  description = "The role that compacts the tables and expires their snapshots; null: none."
  type        = object({ role_arn = string })
  default     = null
}

variable "workgroups" {
  description = "The Athena workgroup of each role, and the place of its results."
  type = object({
    researcher      = object({ arn = string, results = object({ bucket_arn = string, prefix = string, key_arn = string }) })
    engineer        = object({ arn = string, results = object({ bucket_arn = string, prefix = string, key_arn = string }) })
    privacy_officer = object({ arn = string, results = object({ bucket_arn = string, prefix = string, key_arn = string }) })
  })
  nullable = false

  validation {
    condition     = length(distinct([for workgroup in values(var.workgroups) : workgroup.arn])) == 3
    error_message = "workgroups: expected one of its own for each role, got ${join(", ", [for workgroup in values(var.workgroups) : workgroup.arn])}."
  }

  validation {
    condition     = alltrue([for workgroup in values(var.workgroups) : can(regex("^[^/].*/$", workgroup.results.prefix))])
    error_message = "workgroups: expected results in folders as \"researcher/\", got ${join(", ", [for workgroup in values(var.workgroups) : workgroup.results.prefix])}."
  }

  validation {
    condition = !anytrue(flatten([
      for role, one in var.workgroups : [
        for other, two in var.workgroups : startswith(one.results.prefix, two.results.prefix)
        if role != other && one.results.bucket_arn == two.results.bucket_arn
      ]
    ]))
    error_message = "workgroups: expected results of no role below another's, got ${join(", ", [for workgroup in values(var.workgroups) : workgroup.results.prefix])}."
  }
}

variable "principals" {
  description = "ARNs of the principals that may assume each role. A role that nobody may assume is not created."
  type = object({
    researcher      = optional(set(string), [])
    engineer        = optional(set(string), [])
    privacy_officer = optional(set(string), [])
  })
  default  = {}
  nullable = false

  validation {
    condition = alltrue([
      for principal in flatten([for principals in values(var.principals) : tolist(principals)]) :
      can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(root|(role|user)/[^*]+)$", principal))
    ])
    error_message = "principals: expected ARNs of IAM roles, users or account roots without *, got ${join(", ", flatten([for principals in values(var.principals) : tolist(principals)]))}."
  }
}

variable "require_mfa" {
  description = "Whether only a session with a second factor may assume a role. False if an identity provider asks for the factor, because its sessions do not show it."
  type        = bool
  default     = true
  nullable    = false
}
