"""What only Glue itself has."""

from typing import NoReturn


def unsupported(what: str) -> NoReturn:
    """Say so."""
    raise NotImplementedError(f"awsglue: {what} is not supported here; Spark's DataFrames are")
