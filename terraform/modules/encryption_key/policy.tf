# In the policy of a key, the resource * is that key. Nobody may stop its rotation.

locals {
  account = data.aws_caller_identity.current.account_id
  root    = "arn:${data.aws_partition.current.partition}:iam::${local.account}:root"

  # CloudWatch Logs tells for which log group it uses the key, the others for which account.
  logs     = [for service in var.service_principals : service if startswith(service, "logs.")]
  services = setsubtract(var.service_principals, local.logs)

  statements = concat(
    [
      {
        Sid       = "RolesOfThisAccountMayBeAllowedToAdminister"
        Effect    = "Allow"
        Principal = { AWS = local.root }
        Action = [
          "kms:CancelKeyDeletion", "kms:CreateAlias", "kms:DeleteAlias", "kms:DescribeKey", "kms:DisableKey", "kms:EnableKey",
          "kms:EnableKeyRotation", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:ListKeyPolicies", "kms:ListResourceTags",
          "kms:PutKeyPolicy", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:UpdateAlias",
          "kms:UpdateKeyDescription",
        ]
        Resource = "*"
      },
      {
        Sid       = "RolesOfThisAccountMayBeAllowedToUse"
        Effect    = "Allow"
        Principal = { AWS = local.root }
        Action    = ["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom", "kms:ReEncryptTo"]
        Resource  = "*"
      },
    ],
    [for service in local.logs : {
      Sid       = "LogGroupsOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = service }
      Action = [
        "kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom", "kms:ReEncryptTo",
      ]
      Resource = "*"
      Condition = {
        ArnLike = {
          "kms:EncryptionContext:aws:logs:arn" = "arn:${data.aws_partition.current.partition}:logs:${split(".", service)[1]}:${local.account}:log-group:*"
        }
      }
    }],
    [for service in sort(local.services) : {
      Sid       = "${title(split(".", service)[0])}OfThisAccount"
      Effect    = "Allow"
      Principal = { Service = service }
      Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
      Resource  = "*"
      Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
    }],
  )
}
