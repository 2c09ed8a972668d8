output "name" {
  description = "The job's name."
  value       = aws_glue_job.this.name
}

output "arn" {
  description = "The job's ARN."
  value       = aws_glue_job.this.arn
}

output "role_arn" {
  description = "The ARN of the role that the job runs as."
  value       = aws_iam_role.this.arn
}

output "role_name" {
  description = "The name of that role."
  value       = aws_iam_role.this.name
}

output "log_groups" {
  description = "The log groups: what the script prints (output), and what Spark and Python log (error)."
  value       = { for kind, group in aws_cloudwatch_log_group.this : kind => group.name }
}
