"""What Spark writes to the local disk: shuffled and cached rows, and those that do not fit in memory. All is encrypted.

A Java that is killed leaves its files. They are in a scratch folder, which the next run that writes removes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from stedi_common.engines.storage.scratch import SPARK_DISKS, Scratch, spark_disks

#: Encrypt shuffled and cached rows, and those that do not fit in memory. Spark draws a key for each driver.
ENCRYPTION = {"spark.io.encryption.enabled": "true"}

#: What Spark obeys sooner than its setting `spark.local.dir`.
_VARIABLES = (SPARK_DISKS, "SPARK_EXECUTOR_DIRS")


def settings() -> dict[str, str]:
    """The settings by which a local driver and its Python workers write into scratch folders only."""
    folders = _folders()
    return {**ENCRYPTION, "spark.local.dir": ",".join(folders), "spark.executorEnv.TMPDIR": folders[0]}


def java_option() -> str:
    """The option by which Java and its libraries write into a scratch folder."""
    folder = _folders()[0].replace("\\", "\\\\").replace('"', '\\"')
    return f'"-Djava.io.tmpdir={folder}"'


@contextmanager
def settings_obeyed() -> Iterator[None]:
    """Until the block ends, no variable of the environment overrides the settings of a driver that is started."""
    overriding = {name: os.environ.pop(name) for name in _VARIABLES if name in os.environ}
    try:
        yield
    finally:
        os.environ.update(overriding)


@cache
def _folders() -> tuple[str, ...]:
    """The scratch folders of this process, one on each disk: its Java ends with it, and keeps to the first ones."""
    return tuple(Scratch(disk).folder for disk in spark_disks()) or (Scratch().folder,)
