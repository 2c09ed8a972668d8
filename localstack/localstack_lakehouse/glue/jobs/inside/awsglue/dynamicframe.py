"""Glue's own frames, which are not supported."""

from typing import Any

from .unsupported import unsupported


class DynamicFrame:
    """Raises when it is made."""

    def __init__(self, *_: Any, **__: Any) -> None:
        unsupported("DynamicFrame")

    @classmethod
    def fromDF(cls, *_: Any, **__: Any) -> "DynamicFrame":  # noqa: N802 - Glue's name
        """Raise."""
        unsupported("DynamicFrame")


class DynamicFrameCollection(DynamicFrame):
    """Raises when it is made."""


class DynamicFrameReader(DynamicFrame):
    """Raises when it is made."""


class DynamicFrameWriter(DynamicFrame):
    """Raises when it is made."""
