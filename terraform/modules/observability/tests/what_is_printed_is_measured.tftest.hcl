mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-west-1:111122223333:stedi-dev-alarms" }
  }
  mock_resource "aws_cloudwatch_metric_alarm" {
    defaults = { arn = "arn:aws:cloudwatch:eu-west-1:111122223333:alarm:stedi-dev-some" }
  }
}

run "what_a_job_prints_is_counted" {

  assert {
    condition = {
      for name, filter in aws_cloudwatch_log_metric_filter.this : name =>
      "${filter.log_group_name} ${filter.pattern} ${filter.metric_transformation[0].namespace} ${filter.metric_transformation[0].name} ${filter.metric_transformation[0].value} ${filter.metric_transformation[0].dimensions.Table}"
      } == {
      land_customer-Lines          = "/aws-glue/jobs/land-customer/output { $.lines >= 0 } stedi-dev Lines $.lines $.table"
      land_customer-Landed         = "/aws-glue/jobs/land-customer/output { $.landed >= 0 } stedi-dev Landed $.landed $.table"
      land_customer-Doubtful       = "/aws-glue/jobs/land-customer/output { $.doubtful >= 0 } stedi-dev Doubtful $.doubtful $.table"
      land_customer-WithoutAddress = "/aws-glue/jobs/land-customer/output { $.without_address >= 0 } stedi-dev WithoutAddress $.without_address $.table"
      land_customer-Rejected       = "/aws-glue/jobs/land-customer/output { $.rejected >= 0 } stedi-dev Rejected $.rejected $.table"
      customers-RowsKept           = "/aws-glue/jobs/customers/output { $.rows_kept >= 0 } stedi-dev RowsKept $.rows_kept $.table"
    }
    error_message = "Lines of a landing and rows of the others must be counted, by table."
  }
}

run "one_job_prints_everything" {
  variables {
    jobs = { lakehouse = { log_group = "/aws-glue/jobs/lakehouse/output", tables = ["customer_landing", "landed_files", "customer_trusted"] } }
  }

  assert {
    condition     = keys(aws_cloudwatch_log_metric_filter.this) == ["lakehouse-Doubtful", "lakehouse-Landed", "lakehouse-Lines", "lakehouse-Rejected", "lakehouse-RowsKept", "lakehouse-WithoutAddress"]
    error_message = "A job that does every step must be counted in every way."
  }

  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.stale) == ["customer_landing", "customer_trusted"]
    error_message = "Its tables must be watched as those of several jobs."
  }
}

run "only_lines_that_can_be_doubtful_are_counted_so" {
  variables {
    jobs = { land_step_trainer = { log_group = "/aws-glue/jobs/land-step-trainer/output", tables = ["step_trainer_landing"] } }
  }

  assert {
    condition     = keys(aws_cloudwatch_log_metric_filter.this) == ["land_step_trainer-Landed", "land_step_trainer-Lines", "land_step_trainer-Rejected"]
    error_message = "A metric costs, and of readings these would always be 0."
  }
}

run "the_dashboard_shows_runs_rows_and_shares" {

  assert {
    condition = jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets[*].properties.title == [
      "Runs", "Duration of a run, in milliseconds", "Records landed, by table", "Rows made, by table", "Rejected share, by table",
      "Doubtful lines, and lines without an address", "Alarms",
    ]
    error_message = "The dashboard must show runs, durations, rows, shares and alarms."
  }

  assert {
    condition = alltrue([
      for text in ["customer_landing", "customer_trusted", "customers_curated", "Doubtful", "WithoutAddress", "IF(lines0 > 0, rejected0 / lines0, 0)", "ExecutionTime"] :
      strcontains(aws_cloudwatch_dashboard.this.dashboard_body, jsonencode(text))
    ])
    error_message = "The dashboard must show every table."
  }
}
