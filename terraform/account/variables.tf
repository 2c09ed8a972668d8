variable "region" {
  description = "The AWS region of the lakehouse and of Terraform's state. Lake Formation's settings are a region's."
  type        = string
  default     = "us-east-1"
  nullable    = false
}

variable "prefix" {
  description = "The prefix of every name."
  type        = string
  default     = "stedi"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.prefix))
    error_message = "prefix: expected 3 to 20 of a-z, 0-9 and -, a letter first and no - last, got \"${var.prefix}\"."
  }
}

variable "lake_admins" {
  description = "ARNs of all IAM roles and users that administer Lake Formation, with whoever applies the environments."
  type        = set(string)
  nullable    = false

  validation {
    condition = length(var.lake_admins) > 0 && alltrue([
      for admin in var.lake_admins : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:(role|user)/.+$", admin))
    ])
    error_message = "lake_admins: expected ARNs of IAM roles or users, at least one, got ${jsonencode(var.lake_admins)}."
  }
}

variable "deletion_protection" {
  description = "Whether a destroy keeps the buckets."
  type        = bool
  default     = true
  nullable    = false
}
