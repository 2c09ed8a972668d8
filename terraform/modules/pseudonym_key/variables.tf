variable "name" {
  description = "The name of the secret, and of the key that encrypts it."
  type        = string
  nullable    = false
}

variable "recovery_days" {
  description = "Days in which a deleted secret can be restored: 7 to 30, or 0 for none."
  type        = number
  nullable    = false
}
