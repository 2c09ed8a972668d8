data "aws_partition" "current" {}

locals {
  wheels  = "zip of wheels"
  project = "zip of the project"
  files = merge(
    { for script in fileset(var.jobs, "*.py") : trimsuffix(script, ".py") => "${var.jobs}/${script}" },
    { (local.wheels) = var.wheels },
    { for folder in var.project[*] : (local.project) => "${folder}/dist/stedi_project-${local.packed[folder]}.zip" },
  )

  # A project's zip is named after the files that it was made of (project.py).
  packed = {
    for folder in var.project[*] : folder => substr(sha256(join("", [
      for file in setunion(fileset(folder, "*.py"), fileset(folder, "contracts/*.yaml")) :
      "${file} ${filesha256("${folder}/${file}")}\n"
    ])), 0, 16)
  }
}

resource "aws_s3_object" "settings" {
  count = var.settings == null ? 0 : 1

  bucket                 = var.bucket
  key                    = "${substr(sha256(var.settings), 0, 16)}/stedi.toml"
  content                = var.settings
  server_side_encryption = "aws:kms"
  kms_key_id             = var.key_arn
  bucket_key_enabled     = true

  lifecycle {
    # A job that starts meanwhile finds the old settings.
    create_before_destroy = true
  }
}

# Not an argument of the jobs, which everybody sees who may look at a job.
resource "aws_s3_object" "defective_serials" {
  count = length(var.defective_serials) == 0 ? 0 : 1

  bucket                 = var.bucket
  key                    = "${substr(sha256(join("\n", sort(var.defective_serials))), 0, 16)}/defective_serials.txt"
  content                = join("\n", sort(var.defective_serials))
  server_side_encryption = "aws:kms"
  kms_key_id             = var.key_arn
  bucket_key_enabled     = true

  lifecycle {
    # A job that starts meanwhile finds the old list.
    create_before_destroy = true
  }
}

# A key holds the hash of what is there: new code is a new object, and what names it changes with it.
resource "aws_s3_object" "this" {
  for_each = local.files

  bucket                 = var.bucket
  key                    = "${substr(filesha256(each.value), 0, 16)}/${basename(each.value)}"
  source                 = each.value
  server_side_encryption = "aws:kms"
  kms_key_id             = var.key_arn
  bucket_key_enabled     = true

  lifecycle {
    # A job that starts meanwhile finds the old code.
    create_before_destroy = true
    # The same code in another folder is the same code.
    ignore_changes = [source]

    precondition {
      condition     = fileexists(each.value)
      error_message = "project: expected the zip of what the folder holds now, got no file ${each.value}. Run make artifacts PROJECT=${coalesce(var.project, "none")}."
    }
  }
}
