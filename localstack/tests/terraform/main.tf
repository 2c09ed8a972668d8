# Every resource of the lakehouse's services that the test applies, plans and destroys.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  s3_use_path_style = true
}

variable "name" {
  description = "A name that nothing else has."
  type        = string
}

variable "bucket" {
  description = "A bucket that is there."
  type        = string
}

variable "revision" {
  description = "What an update changes."
  type        = string
  default     = "first"
}

data "aws_caller_identity" "current" {}

locals {
  account = data.aws_caller_identity.current.account_id
  role    = "arn:aws:iam::${local.account}:role/${var.name}"
}
