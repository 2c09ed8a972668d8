output "drops" {
  description = "S3 URIs of the folders for drops, by source."
  value       = { for source in local.landed : source => "s3://${module.bucket["drops"].name}/${source}/" }
}

output "lake" {
  description = "The S3 URI of the tables as the jobs take it, with {zone} in it."
  value       = local.lake
}

output "databases" {
  description = "The Glue database of each zone."
  value       = module.catalog.databases
}

output "tables" {
  description = "The ARN of each table in the Glue Data Catalog."
  value       = { for name, table in module.catalog.tables : name => table.arn }
}

output "state_machine_arn" {
  description = "The ARN of the state machine that runs the lakehouse."
  value       = module.orchestration.state_machine_arn
}

output "jobs" {
  description = "The Glue jobs by task, each with the ARN of its role."
  value       = { for name, job in module.job : name => { name = job.name, role_arn = job.role_arn } }
}

output "roles" {
  description = "The ARN of each role that people assume."
  value       = module.access.role_arns
}

output "workgroups" {
  description = "The Athena workgroup of each role."
  value       = { for role, query in module.query : role => query.workgroup }
}

output "topic_arn" {
  description = "The ARN of the topic for alarms and failed runs."
  value       = module.observability.topic_arn
}
