"""Incremental runs: what changed since the last run, and what the next one is going to do."""
