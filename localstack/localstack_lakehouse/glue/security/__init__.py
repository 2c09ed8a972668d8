"""Glue's security configurations."""
