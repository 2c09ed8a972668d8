"""Glue's Data Catalog."""
