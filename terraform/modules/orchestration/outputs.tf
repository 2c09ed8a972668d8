output "state_machine_arn" {
  description = "The state machine's ARN."
  value       = aws_sfn_state_machine.this.arn
}

output "state_machine_name" {
  description = "The state machine's name."
  value       = aws_sfn_state_machine.this.name
}

output "role_name" {
  description = "The name of the role that the state machine runs as."
  value       = aws_iam_role.machine.name
}
