variable "name" {
  description = "The key's name: its alias."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-zA-Z0-9_-]{1,200}$", var.name))
    error_message = "name: expected letters, digits, _ and -, got \"${var.name}\"."
  }
}

variable "description" {
  description = "What the key encrypts."
  type        = string
  nullable    = false
}

variable "service_principals" {
  description = "The services of AWS that use the key by themselves, each on behalf of this account only."
  type        = set(string)
  default     = []
  nullable    = false

  # EventBridge, for one, does not say on whose behalf it uses a key: it could be sent for by any account.
  validation {
    condition = alltrue([
      for service in var.service_principals : can(regex("^(logs\\.[a-z0-9-]+|budgets|cloudwatch)\\.amazonaws\\.com$", service))
    ])
    error_message = "service_principals: expected logs.<region>, budgets or cloudwatch, each with .amazonaws.com, got ${join(", ", var.service_principals)}."
  }
}

variable "deletion_days" {
  description = "Days from the request to delete the key to its deletion, after which everything that it encrypted is lost."
  type        = number
  nullable    = false

  validation {
    condition     = var.deletion_days >= 7 && var.deletion_days <= 30
    error_message = "deletion_days: expected 7 to 30, got ${var.deletion_days}."
  }
}
