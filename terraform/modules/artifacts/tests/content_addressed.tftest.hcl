mock_provider "aws" {
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

variables {
  bucket  = "stedi-dev-artifacts"
  key_arn = "arn:aws:kms:eu-west-1:111122223333:key/operations"
  jobs    = "./tests/code"
  wheels  = "./tests/code/stedi.gluewheels.zip"
}

run "every_script_and_the_wheels" {
  command = plan

  assert {
    condition     = keys(output.scripts) == ["customer_trusted", "land"]
    error_message = "Every script must be there, by its name."
  }

  assert {
    condition = alltrue([
      for uri in concat(values(output.scripts), [output.wheels]) : contains(output.object_arns, replace(uri, "s3://", "arn:aws:s3:::"))
    ]) && length(output.object_arns) == 3
    error_message = "The ARNs must be those of the scripts and of the wheels."
  }
}

run "named_after_what_is_in_it" {
  command = plan

  assert {
    condition     = output.scripts["land"] == "s3://stedi-dev-artifacts/${substr(filesha256("./tests/code/land.py"), 0, 16)}/land.py"
    error_message = "A script must be found under its hash."
  }

  # Glue knows a zip of wheels by its suffix.
  assert {
    condition     = output.wheels == "s3://stedi-dev-artifacts/${substr(filesha256(var.wheels), 0, 16)}/stedi.gluewheels.zip"
    error_message = "The wheels must be found under their hash."
  }
}

run "other_code_is_another_object" {
  command = plan
  variables {
    jobs   = "./tests/changed"
    wheels = "./tests/changed/stedi.gluewheels.zip"
  }

  assert {
    condition     = output.scripts["land"] != run.named_after_what_is_in_it.scripts["land"]
    error_message = "Another script must be another object."
  }

  assert {
    condition = (
      output.scripts["customer_trusted"] == run.named_after_what_is_in_it.scripts["customer_trusted"] &&
      output.wheels == run.named_after_what_is_in_it.wheels
    )
    error_message = "The same content from another folder must be the same object."
  }
}

run "encrypted_with_the_key" {
  command = plan

  assert {
    condition = alltrue([
      for object in aws_s3_object.this :
      object.server_side_encryption == "aws:kms" && object.kms_key_id == "arn:aws:kms:eu-west-1:111122223333:key/operations"
    ])
    error_message = "Code must be encrypted with the key."
  }
}

run "without_settings_there_is_no_object" {
  command = plan

  assert {
    condition     = output.settings == null && length(aws_s3_object.settings) == 0
    error_message = "Nothing must be there that nobody has asked for."
  }
}

run "settings_are_named_after_their_content_and_encrypted" {
  command = plan
  variables {
    settings = "[zones]\naccelerometer = \"Europe/Berlin\"\n"
  }

  assert {
    condition = output.settings == {
      uri = "s3://stedi-dev-artifacts/${substr(sha256(var.settings), 0, 16)}/stedi.toml"
      arn = "arn:aws:s3:::stedi-dev-artifacts/${substr(sha256(var.settings), 0, 16)}/stedi.toml"
    }
    error_message = "Other settings must be another object."
  }

  assert {
    condition = (
      aws_s3_object.settings[0].content == var.settings && aws_s3_object.settings[0].server_side_encryption == "aws:kms" &&
      aws_s3_object.settings[0].kms_key_id == "arn:aws:kms:eu-west-1:111122223333:key/operations"
    )
    error_message = "They must be what is given, encrypted with the key."
  }
}

run "without_a_project_there_is_no_package" {
  command = plan

  assert {
    condition     = output.project == null
    error_message = "Nothing must be there that nobody has asked for."
  }
}

run "a_projects_package_is_what_its_folder_holds" {
  command = plan
  variables {
    project = "../../lakehouse/tests/heart_rate"
  }

  assert {
    condition     = can(regex("^s3://stedi-dev-artifacts/[0-9a-f]{16}/stedi_project-[0-9a-f]{16}\\.zip$", output.project))
    error_message = "It must be found under its hash."
  }

  assert {
    condition     = contains(output.object_arns, replace(output.project, "s3://", "arn:aws:s3:::")) && keys(output.scripts) == ["customer_trusted", "land"]
    error_message = "It must be among the objects, and is no script."
  }
}

run "a_package_that_is_not_of_its_folder" {
  command = plan
  variables {
    project = "./tests/project"
  }
  expect_failures = [aws_s3_object.this]
}

run "a_project_without_contracts" {
  command = plan
  variables {
    project = "./tests/code"
  }
  expect_failures = [var.project]
}

run "no_scripts" {
  command = plan
  variables {
    jobs = "./tests/nothing"
  }
  expect_failures = [var.jobs]
}

run "wheels_not_built" {
  command = plan
  variables {
    wheels = "./tests/code/missing.gluewheels.zip"
  }
  expect_failures = [var.wheels]
}

run "wheels_that_glue_does_not_know" {
  command = plan
  variables {
    wheels = "./tests/code/land.py"
  }
  expect_failures = [var.wheels]
}

run "without_defective_serials_there_is_no_object" {
  command = plan

  assert {
    condition     = output.defective_serials == null && length(aws_s3_object.defective_serials) == 0
    error_message = "No defective serial number must be no object."
  }
}

run "defective_serials_are_a_file_of_lines_and_encrypted" {
  command = plan
  variables { defective_serials = ["sn-2", "sn-1"] }

  assert {
    condition     = output.defective_serials.uri == "s3://stedi-dev-artifacts/${substr(sha256("sn-1\nsn-2"), 0, 16)}/defective_serials.txt"
    error_message = "Another list must be another object."
  }

  assert {
    condition = (
      aws_s3_object.defective_serials[0].content == "sn-1\nsn-2" &&
      aws_s3_object.defective_serials[0].server_side_encryption == "aws:kms" &&
      aws_s3_object.defective_serials[0].kms_key_id == "arn:aws:kms:eu-west-1:111122223333:key/operations"
    )
    error_message = "The list must be encrypted, one serial number a line."
  }
}
