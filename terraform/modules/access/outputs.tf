output "role_arns" {
  description = "The ARN of each role that somebody may assume: researcher, engineer, privacy_officer."
  value       = { for role, is in aws_iam_role.this : role => is.arn }
}

output "readable_tables" {
  description = "The names of the tables that each role reads."
  value       = { for role, tables in local.tables : role => sort(keys(tables)) }
}
