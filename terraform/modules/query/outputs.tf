output "workgroup" {
  description = "The workgroup's name."
  value       = aws_athena_workgroup.this.name
}

output "workgroup_arn" {
  description = "The workgroup's ARN."
  value       = aws_athena_workgroup.this.arn
}

output "named_queries" {
  description = "The ids of the named queries, by name."
  value       = { for name, query in aws_athena_named_query.this : name => query.id }
}
