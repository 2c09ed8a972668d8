variable "region" {
  description = "The AWS region of everything."
  type        = string
  default     = "us-east-1"
  nullable    = false
}

variable "cost_center" {
  description = "Who pays: the value of a cost allocation tag."
  type        = string
  default     = "step-detection"
  nullable    = false
}

variable "emails" {
  description = "E-mail addresses that are notified when something is wrong."
  type        = set(string)
  default     = []
  nullable    = false
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
