variable "prefix" {
  description = "The prefix of every name."
  type        = string
  default     = "stedi-local"
  nullable    = false
}

variable "layout" {
  description = "The layout of the Glue jobs: one-job or job-per-table."
  type        = string
  default     = "one-job"
  nullable    = false
}

variable "settings" {
  description = "The content of stedi.toml; null: the defaults."
  type        = string
  default     = null
}

variable "sources" {
  description = "Where the contracts, the scripts of the jobs and the zip of wheels are, if not in this checkout, and the folder of your own tables."
  type = object({
    contracts = optional(string)
    jobs      = optional(string)
    project   = optional(string)
    wheels    = optional(string, "../../../dist/glue-5.1-local/stedi.gluewheels.zip")
  })
  default  = {}
  nullable = false
}
