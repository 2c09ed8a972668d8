variable "name" {
  description = "The name of the job and of its role."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,64}$", var.name))
    error_message = "name: expected 1 to 64 letters, digits, - and _, because the role is named so too, got \"${var.name}\"."
  }
}

variable "description" {
  description = "What the job does."
  type        = string
  nullable    = false
}

variable "script" {
  description = "The script's S3 URI."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^s3://[^/]+/.+\\.py$", var.script))
    error_message = "script: expected the S3 URI of a .py file, got \"${var.script}\"."
  }
}

variable "wheels" {
  description = "The S3 URI of the zip of wheels: everything that the script imports and Glue does not have."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^s3://[^/]+/.+\\.gluewheels\\.zip$", var.wheels))
    error_message = "wheels: expected an S3 URI that ends in .gluewheels.zip, by which Glue knows a zip of wheels, got \"${var.wheels}\"."
  }
}

variable "packages" {
  description = "S3 URIs of zips with further Python packages, for --extra-py-files."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for package in var.packages : can(regex("^s3://[^/]+/.+\\.zip$", package))])
    error_message = "packages: expected S3 URIs of .zip files, got ${join(", ", var.packages)}."
  }
}

variable "artifacts_arn" {
  description = "ARNs of the objects that hold the code: the script, the wheels and the packages."
  type        = list(string)
  nullable    = false
}

variable "artifacts_key_arn" {
  description = "The ARN of the key that encrypts them."
  type        = string
  nullable    = false
}

variable "reads" {
  description = "The tables that the job reads."
  type = list(object({
    arn          = string
    database_arn = string
    catalog_arn  = string
    bucket_arn   = string
    prefix       = string
    key_arn      = string
  }))
  nullable = false
}

variable "writes" {
  description = "The tables that the job commits to. It may also read them."
  type = list(object({
    arn          = string
    database_arn = string
    catalog_arn  = string
    bucket_arn   = string
    prefix       = string
    key_arn      = string
  }))
  nullable = false

  validation {
    condition     = length(var.writes) > 0
    error_message = "writes: expected at least one table."
  }
}

variable "embedded" {
  description = "Whether the job may use the embedded engine, which asks for databases, and whether files are there."
  type        = bool
  default     = false
  nullable    = false
}

variable "maintains" {
  description = "Whether the job maintains its tables, for which it lists their files."
  type        = bool
  default     = false
  nullable    = false
}

variable "drops" {
  description = "The drops that the job lands, by their prefix, and the prefixes that it may list (lists; *: all); null for a job that lands none."
  type        = object({ bucket_arn = string, key_arn = string, prefix = string, lists = optional(string) })
  default     = null
}

variable "staging" {
  description = "The staging folder, for what the job has read and not yet committed; null for a job that lands none."
  type        = object({ bucket_arn = string, key_arn = string, prefix = string })
  default     = null
}

variable "secret" {
  description = "The secret with the pseudonym key, and the key that encrypts it."
  type        = object({ arn = string, key_arn = string })
  nullable    = false
}

variable "arguments" {
  description = "The script's own arguments, such as --lake."
  type        = map(string)
  nullable    = false

  validation {
    condition     = alltrue([for name in keys(var.arguments) : startswith(name, "--")])
    error_message = "arguments: expected names that start with --, got ${join(", ", keys(var.arguments))}."
  }

  validation {
    condition     = length(setintersection(keys(var.arguments), keys(local.glue_arguments))) == 0
    error_message = "arguments: expected the script's own, got Glue's ${join(", ", setintersection(keys(var.arguments), keys(local.glue_arguments)))}, which this module sets."
  }
}

variable "capacity" {
  description = "The workers of the job, and its timeout. FLEX costs a third less, and starts when AWS has capacity. The job itself does not retry: its caller does."
  type = object({
    glue_version    = optional(string, "5.1")
    worker_type     = optional(string, "G.1X")
    workers         = optional(number, 2)
    timeout_minutes = optional(number, 60)
    flex            = optional(bool, false)
    max_retries     = optional(number, 0)
  })
  default  = {}
  nullable = false

  validation {
    condition     = contains(["5.0", "5.1", "6.0"], var.capacity.glue_version)
    error_message = "capacity.glue_version: expected 5.0, 5.1 or 6.0, which take a zip of wheels, got \"${var.capacity.glue_version}\"."
  }

  validation {
    condition     = can(regex("^(G\\.(1|2|4|8|12|16)X|R\\.(1|2|4|8)X)$", var.capacity.worker_type))
    error_message = "capacity.worker_type: expected G.1X, G.2X, G.4X, G.8X, G.12X, G.16X, R.1X, R.2X, R.4X or R.8X, got \"${var.capacity.worker_type}\"."
  }

  validation {
    condition     = var.capacity.workers >= 2 && floor(var.capacity.workers) == var.capacity.workers
    error_message = "capacity.workers: expected a whole number from 2, because one of them only drives the others, got ${var.capacity.workers}."
  }

  validation {
    condition     = var.capacity.timeout_minutes >= 1 && var.capacity.timeout_minutes <= 10080
    error_message = "capacity.timeout_minutes: expected 1 to 10080, got ${var.capacity.timeout_minutes}."
  }

  validation {
    condition     = !var.capacity.flex || contains(["G.1X", "G.2X"], var.capacity.worker_type)
    error_message = "capacity.flex: expected worker type G.1X or G.2X, the only ones that FLEX has, got \"${var.capacity.worker_type}\"."
  }

  validation {
    condition     = contains([0, 1, 2, 3], var.capacity.max_retries)
    error_message = "capacity.max_retries: expected 0 to 3, got ${var.capacity.max_retries}."
  }
}

variable "log_key_arn" {
  description = "The ARN of the key that encrypts logs."
  type        = string
  nullable    = false
}

variable "log_days" {
  description = "Days that logs are kept: one of the values that CloudWatch allows."
  type        = number
  default     = 365
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_days)
    error_message = "log_days: expected one of CloudWatch's 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731 and more, got ${var.log_days}."
  }
}

variable "security_configuration" {
  description = "The name of a Glue security configuration that encrypts logs with log_key_arn; null: the module makes one."
  type        = string
  default     = null
}
