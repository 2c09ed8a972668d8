# The project's own contracts.

locals {
  folder = "${path.module}/../../../../../stedi_common/contracts"
}

output "all" {
  value = { for file in fileset(local.folder, "*.yaml") : trimsuffix(file, ".yaml") => yamldecode(file("${local.folder}/${file}")) }
}
