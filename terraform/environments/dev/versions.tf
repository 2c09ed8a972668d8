terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }

  # The bucket is the account's: terraform init -backend-config=bucket=… (see ../../account).
  backend "s3" {
    key          = "stedi-lakehouse/dev.tfstate"
    region       = "us-east-1"
    use_lockfile = true
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = { lakehouse = local.prefix, environment = "dev", cost-center = var.cost_center }
  }
}
