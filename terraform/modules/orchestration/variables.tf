variable "name" {
  description = "The name of the state machine, and the prefix of the names of its roles."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,54}$", var.name))
    error_message = "name: expected 1 to 54 letters, digits, - and _, got \"${var.name}\"."
  }
}

variable "stages" {
  description = "Stages in order. The jobs of a stage run in parallel. Each names the table that it builds, or lists several as tables, in the order in which it builds them. A failure in a stage with goes_on does not stop the later stages."
  type = list(object({
    goes_on = optional(bool, false)
    jobs = list(object({
      job       = string
      job_arn   = string
      table     = string
      tables    = optional(list(string), [])
      arguments = optional(map(string), {})
    }))
  }))
  nullable = false

  validation {
    condition     = length(var.stages) > 0 && alltrue([for stage in var.stages : length(stage.jobs) > 0])
    error_message = "stages: expected at least one, and at least one job in each."
  }

  validation {
    condition = alltrue([
      for names in [flatten(var.stages[*].jobs)[*].table, flatten([for step in flatten(var.stages[*].jobs) : coalescelist(step.tables, [step.table])])] :
      length(distinct(names)) == length(names)
    ])
    error_message = "stages: expected tables of its own for each job, got ${join(", ", flatten([for step in flatten(var.stages[*].jobs) : [step.table, step.tables]]))}."
  }

  validation {
    condition = alltrue([
      for table in flatten([for step in flatten(var.stages[*].jobs) : [step.table, step.tables]]) :
      can(regex("^[a-zA-Z0-9_-]{1,32}$", table))
    ])
    error_message = "stages: expected tables of 1 to 32 letters, digits, - and _, because states are named after them, got ${join(", ", flatten([for step in flatten(var.stages[*].jobs) : [step.table, step.tables]]))}."
  }
}

variable "said_once" {
  description = "Words of a job's error message that a second run would not repeat. A job that failed with them is not run once more, because a success would hide them."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for words in var.said_once : can(regex("^[a-zA-Z0-9_ -]+$", words))])
    error_message = "said_once: expected letters, digits, blanks, - and _, got ${join(", ", var.said_once)}."
  }
}

variable "topic" {
  description = "The SNS topic that is notified which table is stale, and the key that encrypts it."
  type        = object({ arn = string, key_arn = string })
  nullable    = false
}

variable "schedule" {
  description = "When it starts: an expression of EventBridge Scheduler, cron(…), rate(…) or at(…); null: only when somebody starts it."
  type        = object({ expression = string, timezone = optional(string, "UTC") })
  default     = null

  validation {
    condition     = var.schedule == null ? true : can(regex("^(cron|rate|at)\\(.+\\)$", var.schedule.expression))
    error_message = "schedule.expression: expected cron(…), rate(…) or at(…), got \"${try(var.schedule.expression, "")}\"."
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
