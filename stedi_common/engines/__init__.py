"""The engines: the only package that knows DuckDB, PySpark or a catalog.

`connect` opens one; everything above talks to the `Engine` protocol and writes Narwhals.
"""

from __future__ import annotations

from stedi_common.engines.protocol import Engine
from stedi_common.errors import LakeError, MissingPackageError
from stedi_common.lake import Lake
from stedi_common.settings import ENGINES


def connect(engine: str, lake: Lake, *, writes: bool = True) -> Engine:
    """Open the lake with the engine of this name.

    Args:
        engine: one of `ENGINES`.
        lake: where the tables are.
        writes: False for a command that only reads. Only an engine that writes removes the staged files of killed runs.

    Returns:
        The open engine; the caller closes it.

    Raises:
        LakeError: the engine is unknown.
        MissingPackageError: the engine is not installed.
    """
    if engine not in ENGINES:
        raise LakeError(f"engine: expected one of {', '.join(ENGINES)}, got {engine!r}")
    try:
        if engine == "spark":
            from stedi_common.engines.spark.engine import SparkEngine  # noqa: PLC0415 - only who asks for it needs it

            return SparkEngine(lake, writes=writes)
        from stedi_common.engines.embedded.engine import EmbeddedEngine  # noqa: PLC0415

        return EmbeddedEngine(lake, writes=writes)
    except ImportError as missing:
        raise MissingPackageError(
            f"engine {engine}: expected the package {missing.name}, which is not installed",
            hint="pip install stedi-common" if engine == "embedded" else f"pip install 'stedi-common[{engine}]'",
        ) from None
