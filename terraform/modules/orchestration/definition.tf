# Every stage is a Parallel state. A branch makes its tables, or tells which are stale; it never fails, so that the
# stage's other jobs come to their end. `stale` remembers them, a sentence each. After a stage that goes on, the next one
# runs; after another nothing that stands later runs, and so that is stale, too. At the end the execution fails with
# all that is stale.

locals {
  last = length(var.stages) - 1

  # The tables of each job in the order that it makes them, and those that later stages make.
  tables = [for stage in var.stages : { for step in stage.jobs : step.table => coalescelist(step.tables, [step.table]) }]
  later = [
    for index in range(length(local.tables)) :
    flatten([for stage in slice(local.tables, index + 1, length(local.tables)) : values(stage)])
  ]

  # What is stale whenever something of a stage is.
  follows = [for index, stage in var.stages : stage.goes_on ? [] : local.later[index]]
  after = [
    for index, stage in var.stages : length(local.later[index]) == 0 ? "" : format(
      stage.goes_on ? " Made all the same, of what is there: %s." : " So is what is made after it: %s.",
      join(", ", local.later[index]),
    )
  ]

  definition = {
    Comment = "Makes the tables in the order of their dependencies. A rerun is always safe."
    StartAt = "Begin"
    States = merge(
      {
        # Nothing of what an execution was started with is of use.
        Begin = { Type = "Pass", Result = { stale = "" }, Next = "Stage 1" }
      },
      {
        for index, stage in var.stages : "Stage ${index + 1}" => {
          Type       = "Parallel"
          Parameters = { attempt = "first" }
          Branches   = [for step in stage.jobs : local.branches[step.table]]
          ResultPath = "$.branches"
          # A branch does not fail; if one should, that may not keep later stages from running.
          Catch = [{ ErrorEquals = ["States.ALL"], ResultPath = null, Next = "Stage ${index + 1} broke" }]
          Next  = "Is stage ${index + 1} made?"
        }
      },
      {
        for index, stage in var.stages : "Is stage ${index + 1} made?" => {
          Type = "Choice"
          Choices = [{
            And  = [for branch in range(length(stage.jobs)) : { Variable = "$.branches[${branch}].stale", StringEquals = "" }]
            Next = local.next[index]
          }]
          Default = "Stage ${index + 1} is stale"
        }
      },
      {
        for index, stage in var.stages : "Stage ${index + 1} is stale" => {
          Type = "Pass"
          Parameters = {
            "stale.$" = "States.Format('{}${join("", [for step in stage.jobs : "{}"])}${local.sentences.follows[index]}', ${
              join(", ", concat(["$.stale"], [for branch in range(length(stage.jobs)) : "$.branches[${branch}].stale"]))
            })"
          }
          Next = stage.goes_on ? local.next[index] : "Stale"
        }
      },
      {
        for index, stage in var.stages : "Stage ${index + 1} broke" => {
          Type       = "Pass"
          Parameters = { "stale.$" = "States.Format('{}${local.sentences.all[index]}${local.sentences.follows[index]}', $.stale)" }
          Next       = stage.goes_on ? local.next[index] : "Stale"
        }
      },
      {
        "Is all made?" = {
          Type    = "Choice"
          Choices = [{ Variable = "$.stale", StringEquals = "", Next = "Made" }]
          Default = "Stale"
        }
        Made = { Type = "Succeed", InputPath = null }
        Stale = {
          Type      = "Fail"
          Error     = "StaleTable"
          CausePath = "States.Format('{}Start it again when the cause is mended; a rerun is always safe.', $.stale)"
        }
      },
    )
  }

  next = [for index in range(length(var.stages)) : index == local.last ? "Is all made?" : "Stage ${index + 2}"]

  sentences = {
    all     = [for stage in local.tables : join("", [for table in flatten(values(stage)) : "${table} is stale. "])]
    follows = [for tables in local.follows : join("", [for table in tables : "${table} is stale. "])]
  }

  branches = merge([
    for index, stage in var.stages : {
      for step in stage.jobs : step.table => {
        StartAt = "Make ${step.table}"
        States  = merge(local.making[step.table], local.naming[step.table])
      }
    }
  ]...)

  making = merge([
    for index, stage in var.stages : {
      for step in stage.jobs : step.table => {
        "Make ${step.table}" = {
          Type           = "Task"
          Resource       = "arn:${local.partition}:states:::glue:startJobRun.sync"
          Parameters     = { JobName = step.job, Arguments = step.arguments }
          ResultSelector = { "Id.$" = "$.Id", "JobRunState.$" = "$.JobRunState" }
          ResultPath     = "$.run"
          Retry          = local.retries
          Catch          = [{ ErrorEquals = ["States.ALL"], ResultPath = "$.failure", Next = "Did a run for ${step.table} fail?" }]
          Next           = "Is ${step.table} made?"
        }

        # A run that somebody has stopped is no failure to Step Functions.
        "Is ${step.table} made?" = {
          Type    = "Choice"
          Choices = [{ Variable = "$.run.JobRunState", StringEquals = "SUCCEEDED", Next = "${step.table} is made" }]
          Default = "Does a run for ${step.table} say what is stale?"
        }

        # Then the cause is the run; it is a sentence where no run could start.
        "Did a run for ${step.table} fail?" = {
          Type = "Choice"
          Choices = [{
            And = [
              { Variable = "$.failure.Cause", IsPresent = true },
              { Variable = "$.failure.Cause", StringMatches = "{*\"Id\"*\"jr_*}" },
            ]
            Next = "The run for ${step.table}"
          }]
          Default = "No run for ${step.table}"
        }

        "The run for ${step.table}" = {
          Type       = "Pass"
          Parameters = { "attempt.$" = "$.attempt", "run.$" = "States.StringToJson($.failure.Cause)" }
          Next       = "May another run for ${step.table} succeed?"
        }

        "No run for ${step.table}" = {
          Type   = "Pass"
          Result = { run = { Id = "none could start" } }
          Next   = "All of ${step.table} may be stale"
        }

        # A second run is safe. One that succeeds would hide what only the first one can say.
        "May another run for ${step.table} succeed?" = {
          Type = "Choice"
          Choices = concat(
            [{ Variable = "$.attempt", StringEquals = "second", Next = "Does a run for ${step.table} say what is stale?" }],
            [for words in var.said_once : {
              And  = concat(local.has_message, [{ Variable = "$.run.ErrorMessage", StringMatches = "*${words}*" }])
              Next = "Does a run for ${step.table} say what is stale?"
            }],
          )
          Default = "Another run for ${step.table}"
        }

        "Another run for ${step.table}" = { Type = "Pass", Result = { attempt = "second" }, Next = "Make ${step.table}" }

        "Tell about ${step.table}" = {
          Type     = "Task"
          Resource = "arn:${local.partition}:states:::sns:publish"
          Parameters = {
            TopicArn = var.topic.arn
            Subject  = "${var.name}: ${step.table} is stale"
            "Message.$" = "States.Format('${join(" ", [
              "{}Job ${step.job} did not succeed (run: {}).${local.after[index]}",
              "Start {} again when the cause is mended; a rerun is always safe.",
            ])}', $.stale, $.run.Id, $$.StateMachine.Id)"
          }
          ResultPath = null
          Retry      = [merge(local.backoff, { ErrorEquals = ["States.ALL"], MaxAttempts = 3 })]
          # Untold it is stale all the same; the alarm for a failed execution tells, too.
          Catch = [{ ErrorEquals = ["States.ALL"], ResultPath = null, Next = "${step.table} is not made" }]
          Next  = "${step.table} is not made"
        }

        "${step.table} is not made" = { Type = "Pass", Parameters = { "stale.$" = "$.stale" }, End = true }
        "${step.table} is made"     = { Type = "Pass", Result = { stale = "" }, End = true }
      }
    }
  ]...)

  # A job's last words name what is stale: table after table is looked for in them. Where they name none, all that the job
  # makes may be. No more of a message is told than that: an engine's quotes the rows.
  naming = merge([
    for index, stage in var.stages : {
      for step in stage.jobs : step.table => merge(
        {
          "Does a run for ${step.table} say what is stale?" = {
            Type = "Choice"
            Choices = [{
              And = concat(local.has_message, [{
                Or = [for table in local.tables[index][step.table] : local.names[table]]
              }])
              Next = "Look for the stale of ${step.table}"
            }]
            Default = "All of ${step.table} may be stale"
          }
          "All of ${step.table} may be stale" = {
            Type = "Pass"
            Parameters = {
              "run.$" = "$.run"
              stale   = join("", [for table in local.tables[index][step.table] : "${table} is stale. "])
            }
            Next = "Tell about ${step.table}"
          }
          "Look for the stale of ${step.table}" = {
            Type       = "Pass"
            Parameters = { "run.$" = "$.run", stale = "" }
            Next       = "Is ${local.tables[index][step.table][0]} stale?"
          }
        },
        {
          for place, table in local.tables[index][step.table] : "Is ${table} stale?" => {
            Type    = "Choice"
            Choices = [merge(local.names[table], { Next = "${table} is stale" })]
            Default = try("Is ${local.tables[index][step.table][place + 1]} stale?", "Tell about ${step.table}")
          }
        },
        {
          for place, table in local.tables[index][step.table] : "${table} is stale" => {
            Type       = "Pass"
            Parameters = { "run.$" = "$.run", "stale.$" = "States.Format('{}${table} is stale. ', $.stale)" }
            Next       = try("Is ${local.tables[index][step.table][place + 1]} stale?", "Tell about ${step.table}")
          }
        },
      )
    }
  ]...)

  has_message = [{ Variable = "$.run.ErrorMessage", IsPresent = true }]
  names = {
    for table in flatten([for stage in local.tables : values(stage)]) :
    table => { Variable = "$.run.ErrorMessage", StringMatches = "*${table} is stale: *" }
  }

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
        "Glue.SdkClientException", "Glue.ThrottlingException",
      ]
      MaxAttempts = 6
    }),
  ]
}
