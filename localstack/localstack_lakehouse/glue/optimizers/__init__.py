"""Glue's table optimizers."""
