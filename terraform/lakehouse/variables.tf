variable "prefix" {
  description = "The prefix of every name, so that several environments can share an account."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.prefix))
    error_message = "prefix: expected 3 to 20 of a-z, 0-9 and -, a letter first and no - last, got \"${var.prefix}\"."
  }
}

variable "environment" {
  description = "local, dev or prod. The jobs of prod accept only the default policy."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["local", "dev", "prod"], var.environment)
    error_message = "environment: expected local, dev or prod, got \"${var.environment}\"."
  }
}

variable "layout" {
  description = "one-job: all tasks in one Glue job and one session, for a small lake. job-per-table: a Glue job for each task."
  type        = string
  default     = "one-job"
  nullable    = false

  validation {
    condition     = contains(["one-job", "job-per-table"], var.layout)
    error_message = "layout: expected one-job or job-per-table, got \"${var.layout}\"."
  }
}

variable "engine" {
  description = "auto: the embedded engine for a run that reads up to 1 GB, Spark above. embedded, spark: always this one. null: auto in one-job, spark in job-per-table and with Glue 5.0. With spark the jobs install neither DuckDB nor PyIceberg."
  type        = string
  default     = null

  validation {
    condition     = var.engine == null ? true : contains(["auto", "embedded", "spark"], var.engine)
    error_message = "engine: expected auto, embedded or spark, got \"${coalesce(var.engine, "none")}\"."
  }
}

variable "policy" {
  description = "Which readings count (consent), which readings make a pair (pairing), and defective serial numbers, which say nothing about the owner."
  type = object({
    consent           = optional(string, "as-of")
    pairing           = optional(string, "owner")
    defective_serials = optional(set(string), [])
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["as-of", "ever"], var.policy.consent)
    error_message = "policy.consent: expected as-of or ever, got \"${var.policy.consent}\"."
  }

  validation {
    condition     = contains(["owner", "timestamp"], var.policy.pairing)
    error_message = "policy.pairing: expected owner or timestamp, got \"${var.policy.pairing}\"."
  }

  validation {
    condition     = var.environment != "prod" || (var.policy.consent == "as-of" && var.policy.pairing == "owner")
    error_message = "policy: prod accepts only consent as-of with pairing owner."
  }

  validation {
    condition     = alltrue([for serial in var.policy.defective_serials : can(regex("^\\S+$", serial))])
    error_message = "policy.defective_serials: expected serial numbers without blanks."
  }
}

variable "rebuild" {
  description = "Whether runs rebuild tables of another build: policy, pseudonym key, columns or transformations. Otherwise they stop."
  type        = bool
  default     = false
  nullable    = false
}

variable "settings" {
  description = "The content of stedi.toml (docs/records.md): limits of what is read, and the time zones of sources; null: the defaults."
  type        = string
  default     = null

  validation {
    condition     = var.settings == null || can(regex("(?m)^\\s*\\[(limits|zones)\\]", var.settings))
    error_message = "settings: expected the content of a stedi.toml, with [limits] or [zones]; for its file use file(\"stedi.toml\")."
  }
}

variable "capacity" {
  description = "The workers of a Glue job, and its timeout in minutes. FLEX costs a third less, and starts when AWS has capacity."
  type = object({
    glue_version    = optional(string, "5.1")
    worker_type     = optional(string, "G.1X")
    workers         = optional(number, 2)
    timeout_minutes = optional(number, 60)
    flex            = optional(bool, false)
  })
  default  = {}
  nullable = false
}

variable "schedule" {
  description = "When the lakehouse runs: an expression of EventBridge Scheduler; null: only when somebody starts it."
  type = object({
    expression = string
    timezone   = optional(string, "UTC")
  })
  default = null

  # Else withdrawn people stay in old snapshots (rule 14).
  validation {
    condition = anytrue([
      var.layout == "job-per-table", var.optimizers == true, var.environment == "local",
      var.schedule == null && var.optimizers == null,
      can(regex("^rate\\((1 day|[1-9] hours?|1[0-9] hours|2[0-4] hours|[0-9]{1,3} minutes?)\\)$", var.schedule.expression)),
      can(regex("^cron\\(\\S+ \\S+ [*?] \\* [*?] \\*\\)$", var.schedule.expression)),
    ])
    error_message = "schedule: expected a run each day, because runs maintain the tables, got ${try("\"${var.schedule.expression}\"", "none")}. For another schedule set optimizers = true."
  }
}

variable "retention" {
  description = "Days that raw drops, logs, and results of queries are kept."
  type = object({
    drops   = optional(number, 7)
    logs    = optional(number, 365)
    results = optional(number, 3)
  })
  default  = {}
  nullable = false

  validation {
    condition     = var.retention.drops >= 1 && var.retention.drops <= 27
    error_message = "retention.drops: expected 1 to 27 days, so that an erased person is gone from every zone after 30, got ${var.retention.drops}."
  }

  validation {
    condition     = var.retention.results >= 1 && var.retention.results <= 4
    error_message = "retention.results: expected 1 to 4 days, so that a withdrawn person is gone from results after 7, got ${var.retention.results}."
  }
}

variable "alarms" {
  description = "The e-mail addresses that are notified, after how many hours without a successful run, and at which share of rejected lines."
  type = object({
    emails         = optional(set(string), [])
    late_hours     = optional(number, 26)
    rejected_share = optional(number, 0.05)
  })
  default  = {}
  nullable = false
}

variable "principals" {
  description = "ARNs of the principals that may assume each role."
  type = object({
    researcher      = optional(set(string), [])
    engineer        = optional(set(string), [])
    privacy_officer = optional(set(string), [])
  })
  default  = {}
  nullable = false
}

variable "require_mfa" {
  description = "Whether only a session with a second factor may assume a role. False if an identity provider asks for the factor, because its sessions do not show it."
  type        = bool
  default     = true
  nullable    = false
}

variable "pseudonym_key" {
  description = "The ARN of the secret that holds the key of the pseudonyms, as 64 hex digits, and of the key that encrypts it. It stays outside the lake (rule 10)."
  type        = object({ arn = string, key_arn = string })
  nullable    = false
}

variable "scan_limit_bytes" {
  description = "The most bytes that one Athena query may read."
  type        = number
  default     = 10737418240
  nullable    = false
}

variable "optimizers" {
  description = "Whether Glue's optimizers compact the tables, expire their snapshots and remove orphan files. Otherwise each run in one-job does it in the end. null: false in one-job with a schedule, else true."
  type        = bool
  default     = null

  validation {
    condition     = coalesce(var.optimizers, true) || var.layout == "one-job"
    error_message = "optimizers: expected true in job-per-table, where no job maintains the tables."
  }
}

variable "deletion_protection" {
  description = "Whether a destroy keeps the keys and the buckets with data in them."
  type        = bool
  nullable    = false

  validation {
    condition     = var.deletion_protection || var.environment != "prod"
    error_message = "deletion_protection: expected true in prod."
  }
}

variable "budget" {
  description = "US dollars per month. The alarms' addresses are notified when 80 % is spent or 100 % is forecast; null: no budget."
  type        = object({ monthly_usd = number })
  default     = null
}

variable "sources" {
  description = "Where the code is, if not in this checkout: the contracts, the scripts of the jobs, and the zip of wheels that `make artifacts` builds. project: the folder of your own tables, contracts/*.yaml and tables.py."
  type = object({
    contracts = optional(string)
    jobs      = optional(string)
    wheels    = optional(string)
    project   = optional(string)
  })
  default  = {}
  nullable = false
}
