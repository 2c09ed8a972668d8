"""Glue's transforms of DynamicFrames: scripts import them all, and may as long as they use none."""

from typing import Any

from .unsupported import unsupported


class _Transform:
    def __init__(self, name: str) -> None:
        self._name = name

    def apply(self, *_: Any, **__: Any) -> None:
        """Raise."""
        unsupported(self._name)

    __call__ = apply


ApplyMapping = _Transform("ApplyMapping")
DropFields = _Transform("DropFields")
DropNullFields = _Transform("DropNullFields")
ErrorsAsDynamicFrame = _Transform("ErrorsAsDynamicFrame")
FillMissingValues = _Transform("FillMissingValues")
Filter = _Transform("Filter")
FindIncrementalMatches = _Transform("FindIncrementalMatches")
FindMatches = _Transform("FindMatches")
FlatMap = _Transform("FlatMap")
Join = _Transform("Join")
Map = _Transform("Map")
MapToCollection = _Transform("MapToCollection")
Relationalize = _Transform("Relationalize")
RenameField = _Transform("RenameField")
ResolveChoice = _Transform("ResolveChoice")
SelectFields = _Transform("SelectFields")
SelectFromCollection = _Transform("SelectFromCollection")
Spigot = _Transform("Spigot")
SplitFields = _Transform("SplitFields")
SplitRows = _Transform("SplitRows")
Unbox = _Transform("Unbox")
UnnestFrame = _Transform("UnnestFrame")
