output "bucket" {
  description = "The name of the bucket for Terraform's state."
  value       = module.state.name
}

# Without encrypt: with it, Terraform asks for another key than the bucket's, and is refused.
output "backend" {
  description = "The content of backend.tf, which moves the state of this configuration into the bucket."
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
