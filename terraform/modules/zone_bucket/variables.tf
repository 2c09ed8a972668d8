variable "name" {
  description = "The bucket's name."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "name: expected 3 to 63 of a-z, 0-9 and -, no - first or last, got \"${var.name}\"."
  }
}

variable "key_arn" {
  description = "The ARN of the key that encrypts all its objects; null for the bucket of access logs, because S3 does not write them with a KMS key."
  type        = string
  default     = null

  validation {
    condition     = (var.key_arn == null) == (var.log_bucket == null)
    error_message = "key_arn: expected a key with a log_bucket, or neither: the bucket of access logs."
  }
}

variable "log_bucket" {
  description = "The name of the bucket for its access logs; null: this is the bucket of access logs."
  type        = string
  default     = null
}

variable "expirations" {
  description = "Days after which objects below a prefix expire; an empty prefix means all objects."
  type        = list(object({ prefix = string, days = number }))
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for expiration in var.expirations : expiration.days >= 1 && floor(expiration.days) == expiration.days])
    error_message = "expirations: expected whole days, at least one, got ${join(", ", var.expirations[*].days)}."
  }

  validation {
    condition     = length(distinct(var.expirations[*].prefix)) == length(var.expirations)
    error_message = "expirations: expected each prefix once, got \"${join("\", \"", var.expirations[*].prefix)}\"."
  }
}

variable "noncurrent_days" {
  description = "Days in which a deleted or replaced object can be restored."
  type        = number
  nullable    = false

  validation {
    condition     = contains(range(1, 8), var.noncurrent_days)
    error_message = "noncurrent_days: expected 1 to 7, so that who withdrew is gone after 7 days, got ${var.noncurrent_days}."
  }
}

variable "abort_multipart_days" {
  description = "Days after which the parts of an unfinished upload are deleted."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = contains(range(1, 8), var.abort_multipart_days)
    error_message = "abort_multipart_days: expected 1 to 7, so that who withdrew is gone after 7 days, got ${var.abort_multipart_days}."
  }
}

variable "deletion_protection" {
  description = "Whether the bucket cannot be deleted, even if it is empty. Otherwise a destroy deletes it with all objects."
  type        = bool
  nullable    = false
}
