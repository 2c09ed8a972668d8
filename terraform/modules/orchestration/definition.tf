# Every stage is a Parallel state. A branch makes its table, or tells that it is stale; it never fails, so that the
# stage's other jobs come to their end. Then the execution goes on, or fails with what is stale.

locals {
  last = length(var.stages) - 1

  # What is not made when a stage fails: its followers.
  followers = [
    for index in range(length(var.stages)) :
    flatten([for stage in slice(var.stages, index + 1, length(var.stages)) : stage[*].table])
  ]

  definition = {
    Comment = "Makes the tables in the order of their dependencies. A rerun is always safe."
    StartAt = "Stage 1"
    States = merge(
      {
        for index, stage in var.stages : "Stage ${index + 1}" => {
          Type = "Parallel"
          # Nothing of what an execution was started with is of use.
          InputPath = null
          Branches  = [for step in stage : local.branches[step.table]]
          Next      = "Is stage ${index + 1} made?"
        }
      },
      {
        for index, stage in var.stages : "Is stage ${index + 1} made?" => {
          Type = "Choice"
          Choices = [
            for branch in range(length(stage)) : { Variable = "$[${branch}].stale", IsPresent = true, Next = "Stale" }
          ]
          Default = index == local.last ? "Made" : "Stage ${index + 2}"
        }
      },
      {
        Made = { Type = "Succeed", InputPath = null }
        Stale = {
          Type      = "Fail"
          Error     = "StaleTable"
          CausePath = "States.Format('Stale, and so is all that is made of them: {}', States.JsonToString($[*].stale))"
        }
      },
    )
  }

  branches = merge([
    for index, stage in var.stages : {
      for step in stage : step.table => {
        StartAt = "Make ${step.table}"
        States = {
          "Make ${step.table}" = {
            Type           = "Task"
            Resource       = "arn:${local.partition}:states:::glue:startJobRun.sync"
            Parameters     = { JobName = step.job, Arguments = step.arguments }
            ResultSelector = { "Id.$" = "$.Id", "JobRunState.$" = "$.JobRunState" }
            ResultPath     = "$.run"
            Retry          = local.retries
            Catch          = [{ ErrorEquals = ["States.ALL"], ResultPath = "$.failure", Next = "Did a run of ${step.table} fail?" }]
            Next           = "Is ${step.table} made?"
          }

          # A run that somebody has stopped is no failure to Step Functions.
          "Is ${step.table} made?" = {
            Type    = "Choice"
            Choices = [{ Variable = "$.run.JobRunState", StringEquals = "SUCCEEDED", Next = "${step.table} is made" }]
            Default = "Tell that ${step.table} is stale"
          }

          # Then the cause is the run; it is a sentence where no run could start.
          "Did a run of ${step.table} fail?" = {
            Type = "Choice"
            Choices = [{
              And = [
                { Variable = "$.failure.Cause", IsPresent = true },
                { Variable = "$.failure.Cause", StringMatches = "{*\"Id\"*\"jr_*}" },
              ]
              Next = "The run of ${step.table}"
            }]
            Default = "No run of ${step.table}"
          }

          "The run of ${step.table}" = {
            Type       = "Pass"
            Parameters = { "run.$" = "States.StringToJson($.failure.Cause)" }
            Next       = "Tell that ${step.table} is stale"
          }

          "No run of ${step.table}" = {
            Type   = "Pass"
            Result = { run = { Id = "none could start" } }
            Next   = "Tell that ${step.table} is stale"
          }

          # Never the message of a failure: an engine's quotes the rows.
          "Tell that ${step.table} is stale" = {
            Type     = "Task"
            Resource = "arn:${local.partition}:states:::sns:publish"
            Parameters = {
              TopicArn = var.topic.arn
              Subject  = substr("${var.name}: ${step.table} is stale", 0, 100)
              "Message.$" = "States.Format('${join(" ", compact([
                "${step.table} is stale: job ${step.job} did not succeed (run: {}).",
                length(local.followers[index]) > 0 ? "So is what is made after it: ${join(", ", local.followers[index])}." : "",
                "Start {} again when the cause is mended; a rerun is always safe.",
              ]))}', $.run.Id, $$.StateMachine.Id)"
            }
            ResultPath = null
            Retry      = [merge(local.backoff, { ErrorEquals = ["States.ALL"], MaxAttempts = 3 })]
            # Untold it is stale all the same; the alarm for a failed execution tells, too.
            Catch = [{ ErrorEquals = ["States.ALL"], ResultPath = null, Next = "${step.table} is stale" }]
            Next  = "${step.table} is stale"
          }

          "${step.table} is stale" = { Type = "Pass", Result = { stale = step.table }, End = true }
          "${step.table} is made"  = { Type = "Pass", Result = {}, End = true }
        }
      }
    }
  ]...)

  # Delays of random length, so that those who were refused together do not come back together.
  backoff = { IntervalSeconds = 5, BackoffRate = 2, MaxDelaySeconds = 120, JitterStrategy = "FULL" }

  retries = [
    # Another execution runs the job, or the account runs as many as it may: wait for hours, a minute each on average.
    merge(local.backoff, {
      ErrorEquals = ["Glue.ConcurrentRunsExceededException", "Glue.ResourceNumberLimitExceededException"]
      MaxAttempts = 300
    }),
    merge(local.backoff, {
      ErrorEquals = [
        "Glue.AWSGlueException", "Glue.InternalServiceException", "Glue.OperationTimeoutException",
        "Glue.ThrottlingException",
      ]
      MaxAttempts = 6
    }),
    # The job failed: once more, which is safe.
    merge(local.backoff, { ErrorEquals = ["States.TaskFailed"], MaxAttempts = 1 }),
  ]
}
