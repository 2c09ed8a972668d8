# What it takes to query some tables in one workgroup. IAM decides who reads bytes: no location is registered with
# Lake Formation, so Athena reads S3 as the role that asks.

locals {
  querying = {
    for role, workgroup in var.workgroups : role => concat(
      [
        {
          Sid    = "Query"
          Effect = "Allow"
          Action = [
            "athena:BatchGetNamedQuery",
            "athena:BatchGetQueryExecution",
            "athena:GetNamedQuery",
            "athena:GetQueryExecution",
            "athena:GetQueryResults",
            "athena:GetQueryResultsStream",
            "athena:GetQueryRuntimeStatistics",
            "athena:GetWorkGroup",
            "athena:ListNamedQueries",
            "athena:ListQueryExecutions",
            "athena:StartQueryExecution",
            "athena:StopQueryExecution",
          ]
          Resource = workgroup.arn
        },
        {
          # AWS offers nothing narrower. It tells names; without it the console cannot change to the role's workgroup.
          Sid      = "FindWorkgroup"
          Effect   = "Allow"
          Action   = "athena:ListWorkGroups"
          Resource = "*"
        },
        {
          Sid    = "WriteAndReadResults"
          Effect = "Allow"
          Action = [
            "s3:AbortMultipartUpload",
            "s3:GetObject",
            "s3:ListMultipartUploadParts",
            "s3:PutObject",
          ]
          Resource = "${workgroup.results.bucket_arn}/${workgroup.results.prefix}*"
        },
        {
          Sid       = "ListResults"
          Effect    = "Allow"
          Action    = "s3:ListBucket"
          Resource  = workgroup.results.bucket_arn
          Condition = { StringLike = { "s3:prefix" = "${workgroup.results.prefix}*" } }
        },
        {
          Sid       = "EncryptResults"
          Effect    = "Allow"
          Action    = ["kms:Decrypt", "kms:GenerateDataKey"]
          Resource  = workgroup.results.key_arn
          Condition = { StringEquals = local.through_s3 }
        },
        {
          Sid    = "ReadDefinitions"
          Effect = "Allow"
          Action = ["glue:GetDatabase", "glue:GetPartitions", "glue:GetTable"]
          Resource = sort(distinct(flatten([
            for table in local.tables[role] : [table.catalog_arn, table.database_arn, table.arn]
          ])))
        },
        {
          Sid      = "ReadData"
          Effect   = "Allow"
          Action   = "s3:GetObject"
          Resource = sort([for table in local.tables[role] : "${table.bucket_arn}/${table.prefix}*"])
        },
        {
          Sid       = "DecryptData"
          Effect    = "Allow"
          Action    = "kms:Decrypt"
          Resource  = sort(distinct([for table in local.tables[role] : table.key_arn]))
          Condition = { StringEquals = local.through_s3 }
        },
        {
          Sid      = "LocateBuckets"
          Effect   = "Allow"
          Action   = "s3:GetBucketLocation"
          Resource = sort(distinct(concat([workgroup.results.bucket_arn], [for table in local.tables[role] : table.bucket_arn])))
        },
      ],
      [
        for zone, tables in { for table in local.tables[role] : table.zone => table... } : {
          Sid       = "List${title(zone)}"
          Effect    = "Allow"
          Action    = "s3:ListBucket"
          Resource  = tables[0].bucket_arn
          Condition = { StringLike = { "s3:prefix" = sort([for table in tables : "${table.prefix}*"]) } }
        }
      ],
    )
  }

  # The key opens what S3 reads for the role, and nothing that was encrypted otherwise.
  through_s3 = { "kms:ViaService" = "s3.${local.region}.amazonaws.com" }
}
