"""Glue's jobs and their runs."""
