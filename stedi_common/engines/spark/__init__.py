"""The Spark engine: on Glue, and anywhere Spark runs."""
