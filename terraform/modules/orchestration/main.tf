resource "aws_sfn_state_machine" "this" {
  #checkov:skip=CKV_AWS_284:A trace of jobs that take minutes says no more than the execution's history, and needs four more actions on everything.
  #checkov:skip=CKV_AWS_285:The log has every failure, but not its data: a failed job's message may quote rows, and logs are read by more people than the history.
  name       = var.name
  type       = "STANDARD"
  role_arn   = aws_iam_role.machine.arn
  definition = jsonencode(local.definition)

  logging_configuration {
    level           = "ERROR"
    log_destination = "${aws_cloudwatch_log_group.this.arn}:*"
    # A failed run's data has Glue's message in it, which the history keeps for those who may read that.
    include_execution_data = false
  }

  depends_on = [aws_iam_role_policy.machine]
}

# By this prefix CloudWatch accepts the logs of many state machines under one policy.
# https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html#bp-cwl
resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/vendedlogs/states/${var.name}"
  retention_in_days = var.log_days
  kms_key_id        = var.log_key_arn
}
