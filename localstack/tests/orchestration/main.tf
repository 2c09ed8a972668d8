# State machines of the lakehouse's module for jobs that are there.

terraform {
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

variable "name" {
  description = "A name that nothing else has."
  type        = string
}

variable "machines" {
  description = "The jobs of each state machine, stage by stage, and the tables that they make."
  type = map(list(object({
    goes_on = bool
    jobs    = list(object({ job = string, table = string, tables = optional(list(string), []) }))
  })))
}

data "aws_caller_identity" "current" {}

data "aws_region" "current" {}

resource "aws_kms_key" "this" {
  description = var.name
}

resource "aws_sns_topic" "this" {
  for_each = var.machines

  name = "${var.name}-${each.key}"
}

module "orchestration" {
  source   = "./module"
  for_each = var.machines

  name = "${var.name}-${each.key}"
  stages = [
    for stage in each.value : {
      goes_on = stage.goes_on
      jobs = [
        for step in stage.jobs : merge(step, {
          job_arn = "arn:aws:glue:${data.aws_region.current.name}:${data.aws_caller_identity.current.account_id}:job/${step.job}"
        })
      ]
    }
  ]
  said_once   = ["without_address"]
  topic       = { arn = aws_sns_topic.this[each.key].arn, key_arn = aws_kms_key.this.arn }
  log_key_arn = aws_kms_key.this.arn
}

output "machines" {
  description = "The ARN of each state machine, and of the topic that it tells."
  value = {
    for name, machine in module.orchestration :
    name => { arn = machine.state_machine_arn, topic = aws_sns_topic.this[name].arn }
  }
}
