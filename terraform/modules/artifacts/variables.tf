variable "bucket" {
  description = "The name of the bucket for code."
  type        = string
  nullable    = false
}

variable "key_arn" {
  description = "The ARN of the key that encrypts that bucket."
  type        = string
  nullable    = false
}

variable "jobs" {
  description = "The folder of the jobs' scripts."
  type        = string
  nullable    = false

  validation {
    condition     = length(fileset(var.jobs, "*.py")) > 0
    error_message = "jobs: expected a folder with scripts, got ${var.jobs}, which has none."
  }
}

variable "wheels" {
  description = "The zip of wheels that `make artifacts` builds."
  type        = string
  nullable    = false

  validation {
    condition     = fileexists(var.wheels)
    error_message = "wheels: expected the zip of wheels, got no file ${var.wheels}. Run make artifacts, with the GLUE version of the jobs."
  }

  # By this suffix Glue knows what it is.
  validation {
    condition     = endswith(var.wheels, ".gluewheels.zip")
    error_message = "wheels: expected a name that ends in .gluewheels.zip, got ${var.wheels}."
  }
}

variable "project" {
  description = "The folder of a project's own tables: contracts/*.yaml and tables.py, packed by `make artifacts PROJECT=folder`; null: none."
  type        = string
  default     = null

  validation {
    condition     = var.project == null ? true : length(fileset(var.project, "contracts/*.yaml")) > 0
    error_message = "project: expected a folder with contracts/*.yaml, got ${coalesce(var.project, "none")}."
  }
}

variable "settings" {
  description = "The content of stedi.toml: limits, and the time zones of sources; null: the defaults."
  type        = string
  default     = null
}

variable "defective_serials" {
  description = "Serial numbers that say nothing about the owner of a device. They become a file, one a line; none: no file."
  type        = set(string)
  default     = []
  nullable    = false
}
