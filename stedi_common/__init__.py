"""STEDI lakehouse: consent-governed Iceberg tables, on Spark and on a laptop.

    import stedi_common as stedi

    with stedi.open("lake") as lake:
        lake.land("drops")
        lake.run()
        frame = lake.read("machine_learning_curated").pandas()

Names are imported when they are used, so `import stedi_common` takes no time.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from importlib.metadata import version

    from narwhals import col

    from stedi_common.api.lake import OpenLake, open  # noqa: A004 - `stedi_common.open`, as `tarfile.open`
    from stedi_common.api.rows import Rows
    from stedi_common.errors import (
        CommitConflictError,
        ContractError,
        EngineError,
        IncompleteLandingError,
        KeyMissingError,
        LakeError,
        MultipliedRowsError,
        PolicyError,
        ProjectError,
        QueryError,
        RebuildRequiredError,
        SettingsError,
        StediError,
        StorageError,
        UnexpectedError,
        UnknownRefusalError,
        UnreadFilesRemainError,
        UnusablePathError,
    )
    from stedi_common.rules.policy import Policy
    from stedi_common.settings import Settings

    __version__: str = version("stedi-common")

__all__ = [
    "CommitConflictError",
    "ContractError",
    "EngineError",
    "IncompleteLandingError",
    "KeyMissingError",
    "LakeError",
    "MultipliedRowsError",
    "OpenLake",
    "Policy",
    "PolicyError",
    "ProjectError",
    "QueryError",
    "RebuildRequiredError",
    "Rows",
    "Settings",
    "SettingsError",
    "StediError",
    "StorageError",
    "UnexpectedError",
    "UnknownRefusalError",
    "UnreadFilesRemainError",
    "UnusablePathError",
    "__version__",
    "col",
    "open",
]

_MODULES = {
    "OpenLake": "stedi_common.api.lake",
    "Policy": "stedi_common.rules.policy",
    "Rows": "stedi_common.api.rows",
    "Settings": "stedi_common.settings",
    "col": "narwhals",
    "open": "stedi_common.api.lake",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415 - it takes longer than all else here

        return version("stedi-common")
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES.get(name, "stedi_common.errors")), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
