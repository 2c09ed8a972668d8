"""Files, in folders and in S3: what is staged, and Parquet as Iceberg wants it."""
