variable "prefix" {
  description = "The prefix of the names of the topic, the alarms and the dashboard; also the namespace of the metrics."
  type        = string
  nullable    = false
}

variable "key_arn" {
  description = "The ARN of the key that encrypts the topic. CloudWatch, and AWS Budgets if there is a budget, must be allowed to use it."
  type        = string
  nullable    = false
}

variable "emails" {
  description = "E-mail addresses that are notified. AWS asks each address to confirm."
  type        = set(string)
  nullable    = false

  validation {
    condition     = alltrue([for email in var.emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$", email))])
    error_message = "emails: expected addresses as \"ops@example.com\", got ${join(", ", var.emails)}."
  }
}

variable "state_machine_arn" {
  description = "The ARN of the state machine whose runs are watched."
  type        = string
  nullable    = false
}

variable "jobs" {
  description = "The Glue jobs: the log group for the lines of JSON that each prints, the tables that it writes, and whether it maintains them."
  type = map(object({
    log_group = string
    tables    = set(string)
    maintains = optional(bool, false)
  }))
  nullable = false
}

variable "doubted" {
  description = "The landing tables that can have doubtful lines: those of customers."
  type        = set(string)
  nullable    = false
}

variable "late_hours" {
  description = "After how many hours without a successful run, or without a successful job of a table, an alarm is raised; null: no run is expected."
  type        = number
  nullable    = true

  validation {
    # An alarm looks back over seven days at most, by hours.
    condition     = var.late_hours == null || try(var.late_hours >= 1 && var.late_hours <= 168 && floor(var.late_hours) == var.late_hours, false)
    error_message = "late_hours: expected a whole number from 1 to 168, which is as far as an alarm looks back, got ${coalesce(var.late_hours, 0)}."
  }
}

variable "rejected_share" {
  description = "The share of a source's lines rejected within an hour above which an alarm is raised."
  type        = number
  nullable    = false

  validation {
    condition     = var.rejected_share > 0 && var.rejected_share <= 1
    error_message = "rejected_share: expected more than 0 and at most 1, got ${var.rejected_share}."
  }
}

variable "budget" {
  description = "US dollars per month. The topic is notified when 80 % is spent or 100 % is forecast; null: no budget."
  type        = object({ monthly_usd = number })
  default     = null

  validation {
    condition     = var.budget == null || try(var.budget.monthly_usd > 0, false)
    error_message = "budget.monthly_usd: expected more than 0, got ${try(var.budget.monthly_usd, "null")}."
  }
}

variable "cost_tag" {
  description = "The cost allocation tag that selects the resources of the budget: its value is the prefix."
  type        = string
  default     = "lakehouse"
  nullable    = false
}
