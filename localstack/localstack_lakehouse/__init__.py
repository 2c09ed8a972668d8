"""A lakehouse on LocalStack: Glue, Athena and Lake Formation that work."""
