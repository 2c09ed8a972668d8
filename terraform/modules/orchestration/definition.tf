# Every stage is a Parallel state. A branch makes its table, or tells that it is stale; it never fails, so that the
# stage's other jobs come to their end. Then the execution goes on, or fails with what is stale.

locals {
  last = length(var.stages) - 1

  # The tables of each job in the order that it makes them, and what is made after a table: its job's next ones, and those
  # of later stages.
  tables = [for stage in var.stages : { for step in stage : step.table => coalescelist(step.tables, [step.table]) }]
  after = merge(flatten([
    for index, stage in local.tables : [
      for tables in values(stage) : {
        for place, table in tables : table => concat(
          slice(tables, place + 1, length(tables)),
          flatten([for later in slice(local.tables, index + 1, length(local.tables)) : values(later)]),
        )
      }
    ]
  ])...)

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
        States = merge(local.making[step.table], {
          for table in local.tables[index][step.table] : "${table} is stale" => {
            Type = "Pass"
            Parameters = {
              "run.$" = "$.run"
              table   = table
              after   = length(local.after[table]) > 0 ? " So is what is made after it: ${join(", ", local.after[table])}." : ""
            }
            Next = "Tell about ${step.table}"
          }
        })
      }
    }
  ]...)

  making = merge([
    for index, stage in var.stages : {
      for step in stage : step.table => {
        "Make ${step.table}" = {
          Type           = "Task"
          Resource       = "arn:${local.partition}:states:::glue:startJobRun.sync"
          Parameters     = { JobName = step.job, Arguments = step.arguments }
          ResultSelector = { run = { "Id.$" = "$.Id", "JobRunState.$" = "$.JobRunState" } }
          Retry          = local.retries
          Catch          = [{ ErrorEquals = ["States.ALL"], Next = "Did a run for ${step.table} fail?" }]
          Next           = "Is ${step.table} made?"
        }

        # A run that somebody has stopped is no failure to Step Functions.
        "Is ${step.table} made?" = {
          Type    = "Choice"
          Choices = [{ Variable = "$.run.JobRunState", StringEquals = "SUCCEEDED", Next = "${step.table} is made" }]
          Default = "Which of ${step.table} is stale?"
        }

        # Then the cause is the run; it is a sentence where no run could start.
        "Did a run for ${step.table} fail?" = {
          Type = "Choice"
          Choices = [{
            And = [
              { Variable = "$.Cause", IsPresent = true },
              { Variable = "$.Cause", StringMatches = "{*\"Id\"*\"jr_*}" },
            ]
            Next = "The run for ${step.table}"
          }]
          Default = "No run for ${step.table}"
        }

        "The run for ${step.table}" = {
          Type       = "Pass"
          Parameters = { "run.$" = "States.StringToJson($.Cause)" }
          Next       = "Which of ${step.table} is stale?"
        }

        "No run for ${step.table}" = {
          Type   = "Pass"
          Result = { run = { Id = "none could start" } }
          Next   = "Which of ${step.table} is stale?"
        }

        # The job's last words name it; where they do not, the first may be. No more of a message is told than that: an
        # engine's quotes the rows.
        "Which of ${step.table} is stale?" = {
          Type = "Choice"
          Choices = [for table in local.tables[index][step.table] : {
            And = [
              { Variable = "$.run.ErrorMessage", IsPresent = true },
              { Variable = "$.run.ErrorMessage", StringMatches = "*${table} is stale: *" },
            ]
            Next = "${table} is stale"
          }]
          Default = "${local.tables[index][step.table][0]} is stale"
        }

        "Tell about ${step.table}" = {
          Type     = "Task"
          Resource = "arn:${local.partition}:states:::sns:publish"
          Parameters = {
            TopicArn    = var.topic.arn
            "Subject.$" = "States.Format('${var.name}: {} is stale', $.table)"
            "Message.$" = "States.Format('${join(" ", [
              "{} is stale: job ${step.job} did not succeed (run: {}).{}",
              "Start {} again when the cause is mended; a rerun is always safe.",
            ])}', $.table, $.run.Id, $.after, $$.StateMachine.Id)"
          }
          ResultPath = null
          Retry      = [merge(local.backoff, { ErrorEquals = ["States.ALL"], MaxAttempts = 3 })]
          # Untold it is stale all the same; the alarm for a failed execution tells, too.
          Catch = [{ ErrorEquals = ["States.ALL"], ResultPath = null, Next = "${step.table} is not made" }]
          Next  = "${step.table} is not made"
        }

        "${step.table} is not made" = { Type = "Pass", Parameters = { "stale.$" = "$.table" }, End = true }
        "${step.table} is made"     = { Type = "Pass", Result = {}, End = true }
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
