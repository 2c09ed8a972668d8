"""Makes a table."""
