# Several environments share an account: every name starts with the prefix. No zone's key opens another zone.

mock_provider "aws" {}

variables {
  pseudonym_key = {
    arn     = "arn:aws:secretsmanager:us-east-1:000000000000:secret:key"
    key_arn = "arn:aws:kms:us-east-1:000000000000:key/key"
  }
  prefix              = "stedi-dev"
  environment         = "dev"
  deletion_protection = false
  sources             = { wheels = "./tests/empty.gluewheels.zip" }
}

run "names_start_with_the_prefix" {
  command = plan

  assert {
    condition     = alltrue([for bucket in module.bucket : startswith(bucket.name, "stedi-dev-")]) && startswith(module.logs.name, "stedi-dev-")
    error_message = "buckets: expected names that start with the prefix."
  }

  assert {
    condition     = alltrue([for database in values(module.catalog.databases) : startswith(database, "stedi_dev_")])
    error_message = "databases: expected names that start with the prefix."
  }

  assert {
    condition     = alltrue([for job in module.job : startswith(job.name, "stedi-dev-")])
    error_message = "jobs: expected names that start with the prefix."
  }

  assert {
    condition     = alltrue([for query in module.query : startswith(query.workgroup, "stedi-dev-")])
    error_message = "workgroups: expected names that start with the prefix."
  }

  assert {
    condition     = startswith(local.lake, "s3://stedi-dev-{zone}-")
    error_message = "jobs: expected arguments of this environment."
  }
}

run "each_zone_has_a_key_of_its_own" {
  command = plan

  assert {
    condition     = alltrue([for zone in ["landing", "trusted", "curated"] : local.buckets[zone].key == zone])
    error_message = "expected each zone to be encrypted with its own key."
  }
}
