"""Mends of LocalStack's own Step Functions."""


def apply() -> None:
    """Apply them, once, when LocalStack starts."""
