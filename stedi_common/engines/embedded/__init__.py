"""The embedded engine: DuckDB computes, PyIceberg commits, SQLite is the catalog."""
