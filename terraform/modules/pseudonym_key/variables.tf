variable "name" {
  description = "What the secret is called, and the key that encrypts it."
  type        = string
  nullable    = false
}

variable "recovery_days" {
  description = "Days in which a deleted secret can be had back: 7 to 30, or 0 for none."
  type        = number
  nullable    = false
}
