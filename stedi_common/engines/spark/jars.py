"""The jars of a local session: downloaded once into the user's cache, and an archive of the classes in them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pyspark
from filelock import FileLock


@contextmanager
def cached_jars(packages: Sequence[str]) -> Iterator[list[Path]]:
    """The jars as files, if all of them have been downloaded; else none, and only the block may download them.

    Args:
        packages: as group:artifact:version.
    """
    named = [package.split(":") for package in packages]
    jars = [_cache() / "ivy" / "jars" / f"{group}_{artifact}-{version}.jar" for group, artifact, version in named]
    _cache().mkdir(parents=True, exist_ok=True)
    # Two that download at once take away each other's files, and a file is there before it is whole.
    with FileLock(_cache() / "ivy.lock"):
        if not all(jar.exists() for jar in jars):
            yield []
            return
    yield jars


def download_settings(packages: Sequence[str]) -> dict[str, str]:
    """Settings that let Spark download the packages from Maven Central."""
    return {
        "spark.jars.ivy": str(_cache() / "ivy"),
        "spark.jars.packages": ",".join(packages),
        # Spark has it.
        "spark.jars.excludes": "org.slf4j:slf4j-api",
    }


def class_archive_options(jars: Sequence[Path]) -> list[str]:
    """Java options that let the first session leave its loaded classes to later ones, which saves them seconds.

    An archive is of one Java and one class path; a Java that cannot use one does without.
    """
    of = "\n".join([os.environ["JAVA_HOME"], pyspark.__file__, *map(str, jars)])
    archive = _cache() / f"classes-{hashlib.sha256(of.encode()).hexdigest()[:16]}.jsa"
    if archive.exists():
        return [f"-XX:SharedArchiveFile={archive}"]
    # Java warns of each class that cannot go into it.
    return [f"-XX:ArchiveClassesAtExit={archive}", "-Xlog:disable", "-Xlog:all=error:stderr"]


def _cache() -> Path:
    from platformdirs.unix import Unix  # noqa: PLC0415 - Glue brings its own jars

    return Unix("stedi").user_cache_path
