variable "contracts" {
  description = "The Open Data Contract of each table of the package, decoded, by the table's name."
  type        = any
  nullable    = false

  validation {
    condition     = contains(keys(var.contracts), "customer_landing")
    error_message = "contracts: expected customer_landing among them, because withdrawals come with the customers, got ${join(", ", keys(var.contracts))}."
  }
}

variable "project" {
  description = "The contracts of a project's own tables, decoded, by the table's name."
  type        = any
  default     = {}
  nullable    = false

  validation {
    condition     = length(setintersection(keys(var.project), keys(var.contracts))) == 0
    error_message = "project: expected names of tables that the package does not have, got ${join(", ", setintersection(keys(var.project), keys(var.contracts)))}."
  }
}
