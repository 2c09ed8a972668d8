output "bucket" {
  description = "The bucket of Terraform's state."
  value       = module.state.name
}

# Without encrypt: with it, Terraform asks for another key than the bucket's, and is refused.
output "backend" {
  description = "Where the state of this configuration goes, once the bucket is there: backend.tf."
  value       = <<-EOT
    terraform {
      backend "s3" {
        bucket       = "${module.state.name}"
        key          = "stedi-lakehouse/account.tfstate"
        region       = "${var.region}"
        use_lockfile = true
      }
    }
  EOT
}
