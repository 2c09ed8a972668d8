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
}

variables {
  prefix          = "stedi-dev"
  database_prefix = "stedi_dev"
  zones = {
    landing = { bucket = "stedi-dev-landing", bucket_arn = "arn:aws:s3:::stedi-dev-landing", key_arn = "arn:aws:kms:eu-west-1:111122223333:key/landing" }
    trusted = { bucket = "stedi-dev-trusted", bucket_arn = "arn:aws:s3:::stedi-dev-trusted", key_arn = "arn:aws:kms:eu-west-1:111122223333:key/trusted" }
    curated = { bucket = "stedi-dev-curated", bucket_arn = "arn:aws:s3:::stedi-dev-curated", key_arn = "arn:aws:kms:eu-west-1:111122223333:key/curated" }
  }
  optimizers = { enabled = true, snapshot_days = { landing = 20, trusted = 4, curated = 5 } }
}

run "contracts" {
  module {
    source = "./tests/contracts"
  }
}

run "a_database_per_zone" {
  command = plan
  variables {
    contracts = run.contracts.all
  }

  assert {
    condition     = output.databases == { landing = "stedi_dev_landing", trusted = "stedi_dev_trusted", curated = "stedi_dev_curated" }
    error_message = "Each zone must have a database named after it."
  }

  assert {
    condition     = alltrue([for zone, database in aws_glue_catalog_database.zone : database.location_uri == "s3://stedi-dev-${zone}/${zone}"])
    error_message = "A database must lie in its zone's bucket."
  }
}

run "a_table_per_contract" {
  command = plan
  variables {
    contracts = run.contracts.all
  }

  assert {
    condition = {
      for name, table in aws_glue_catalog_table.this : name => [table.name, table.database_name, table.description, table.storage_descriptor[0].location]
      } == {
      for name, contract in run.contracts.all : name => [
        for zone in [one([for property in contract.schema[0].customProperties : property.value if property.property == "zone"])] :
        [name, "stedi_dev_${zone}", contract.schema[0].description, "s3://stedi-dev-${zone}/${zone}/${name}"]
      ][0]
    }
    error_message = "Every contract's table must be in its zone: name, database, description and location."
  }

  assert {
    condition = alltrue([
      for table in aws_glue_catalog_table.this :
      table.table_type == "EXTERNAL_TABLE" && table.open_table_format_input[0].iceberg_input[0].metadata_operation == "CREATE" && table.open_table_format_input[0].iceberg_input[0].version == "2"
    ])
    error_message = "Every table must be an Iceberg table of version 2."
  }
}

run "columns_are_the_contracts" {
  command = plan
  variables {
    contracts = run.contracts.all
  }

  assert {
    condition = {
      for name, table in aws_glue_catalog_table.this :
      name => join("\n", [for column in table.storage_descriptor[0].columns : "${column.name} ${column.type} ${column.comment}"])
      } == {
      for name, contract in run.contracts.all :
      name => join("\n", [for column in contract.schema[0].properties : "${column.name} ${replace(column.physicalType, "long", "bigint")} ${column.description}"])
    }
    error_message = "A table must have its contract's columns in order, with Glue's types and the contract's comments."
  }

  assert {
    condition     = [for column in aws_glue_catalog_table.this["accelerometer_trusted"].storage_descriptor[0].columns : column.type] == ["string", "timestamp", "double", "double", "double"]
    error_message = "An instant must be a timestamp: the one that every engine reads alike."
  }
}

run "tables_say_where_they_are" {
  command = plan
  variables {
    contracts = run.contracts.all
  }

  assert {
    condition = output.tables["customer_trusted"] == {
      name           = "customer_trusted"
      zone           = "trusted"
      database       = "stedi_dev_trusted"
      arn            = "arn:aws:glue:eu-west-1:111122223333:table/stedi_dev_trusted/customer_trusted"
      database_arn   = "arn:aws:glue:eu-west-1:111122223333:database/stedi_dev_trusted"
      catalog_arn    = "arn:aws:glue:eu-west-1:111122223333:catalog"
      bucket_arn     = "arn:aws:s3:::stedi-dev-trusted"
      key_arn        = "arn:aws:kms:eu-west-1:111122223333:key/trusted"
      prefix         = "trusted/customer_trusted/"
      location       = "s3://stedi-dev-trusted/trusted/customer_trusted"
      classification = "pii"
      columns        = { for column in run.contracts.all["customer_trusted"].schema[0].properties : column.name => column.classification }
    }
    error_message = "What others are told of a table must be what it is."
  }

  assert {
    condition = {
      for name in ["customer_landing", "machine_learning_curated", "landed_files"] : name => output.tables[name].classification
    } == { customer_landing = "pii", machine_learning_curated = "pseudonymous", landed_files = "internal" }
    error_message = "A table must be classified as the highest of its columns."
  }
}

run "another_type_is_refused" {
  command = plan
  variables {
    contracts = {
      odd = { schema = [{
        name             = "odd"
        description      = "A table."
        customProperties = [{ property = "zone", value = "trusted" }]
        properties       = [{ name = "amount", physicalType = "decimal", classification = "internal", description = "A number." }]
      }] }
    }
  }
  expect_failures = [var.contracts]
}

run "another_classification_is_refused" {
  command = plan
  variables {
    contracts = {
      odd = { schema = [{
        name             = "odd"
        description      = "A table."
        customProperties = [{ property = "zone", value = "trusted" }]
        properties       = [{ name = "amount", physicalType = "long", classification = "secret", description = "A number." }]
      }] }
    }
  }
  expect_failures = [var.contracts]
}

run "a_contract_under_another_name_is_refused" {
  command = plan
  variables {
    contracts = { customers = run.contracts.all["customer_trusted"] }
  }
  expect_failures = [var.contracts]
}

run "a_zone_that_is_not_there_is_refused" {
  command = plan
  variables {
    contracts = run.contracts.all
    zones = {
      landing = { bucket = "stedi-dev-landing", bucket_arn = "arn:aws:s3:::stedi-dev-landing", key_arn = "arn:aws:kms:eu-west-1:111122223333:key/landing" }
    }
    optimizers = { enabled = true, snapshot_days = { landing = 20 } }
  }
  expect_failures = [var.zones]
}

run "a_database_that_glue_would_not_take_is_refused" {
  command = plan
  variables {
    contracts       = run.contracts.all
    database_prefix = "stedi-dev"
  }
  expect_failures = [var.database_prefix]
}

run "a_prefix_that_iam_would_not_take_is_refused" {
  command = plan
  variables {
    contracts = run.contracts.all
    prefix    = "STEDI dev"
  }
  expect_failures = [var.prefix]
}
