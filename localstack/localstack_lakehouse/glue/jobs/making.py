"""Runtimes are made on first use, and kept in the user's cache."""

import fcntl
import hashlib
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.error import URLError
from urllib.request import urlopen

from uv import find_uv_bin

from . import spark
from .exceptions import LaunchError
from .runtime import Generation, Runtime

LOG = logging.getLogger(__name__)
MAVEN = "https://repo1.maven.org/maven2"
NOBODY = "http://127.0.0.1:9"


def made(generation: Generation) -> Runtime:
    """The generation's runtime, made if it is not there."""
    runtime = Runtime(_cache() / f"{generation.name}-{_digest(generation)}")
    complete = runtime.folder / "complete"
    with _alone(runtime.folder):
        if not complete.exists():
            LOG.info("Making what runs %s (%s), once: it takes minutes", generation.name, generation.says)
            shutil.rmtree(runtime.folder, ignore_errors=True)
            _install(generation, runtime)
            _download(generation, runtime.folder / "jars")
            _archive_classes(runtime)
            complete.touch()
            LOG.info("Made %s", runtime.folder)
    return runtime


def uv(*arguments: str) -> None:
    """Run uv, far from any project whose settings it would take for its own."""
    command = [find_uv_bin(), "--no-progress", *arguments]
    done = subprocess.run(command, cwd=_cache(), capture_output=True, text=True, check=False)
    if done.returncode:
        raise LaunchError(" ".join(done.stderr.split()) or f"uv ended with {done.returncode}")


def _install(generation: Generation, runtime: Runtime) -> None:
    try:
        uv("venv", "--python", generation.python, str(runtime.folder))
    except LaunchError as error:
        LOG.warning("%s gets Python %s: %s", generation.name, sys.version.split()[0], error)
        uv("venv", "--python", sys.executable, str(runtime.folder))
    pinned = str(spark.HERE / "runtimes" / f"{generation.name}.txt")
    uv("pip", "sync", "--require-hashes", "--compile-bytecode", "--python", str(runtime.python), pinned)


def _download(generation: Generation, folder: Path) -> None:
    folder.mkdir()
    for sha256, path in _jars(generation):
        url = f"{os.environ.get('LAKEHOUSE_MAVEN', MAVEN)}/{path}"
        jar = folder / Path(path).name
        try:
            with urlopen(url, timeout=60) as response, jar.open("wb") as file:  # noqa: S310
                shutil.copyfileobj(response, file)
        except URLError as error:
            raise LaunchError(f"{url}: {error.reason}") from None
        found = hashlib.sha256(jar.read_bytes()).hexdigest()
        if found != sha256:
            raise LaunchError(f"{url}: expected the SHA-256 {sha256}, got {found}")


def _archive_classes(runtime: Runtime) -> None:
    """Jobs start in half the time with it; a Java that cannot make one does without."""
    with TemporaryDirectory() as folder:
        here = Path(folder)
        settings = {
            **spark.settings(NOBODY, "us-east-1", cores=1),
            "spark.hadoop.fs.s3a.attempts.maximum": "1",
            "spark.hadoop.fs.s3a.retry.limit": "0",
            **_catalog("local", "hadoop", here.as_uri()),
            **_catalog("glue", "glue", "s3://nowhere"),
            **spark.fixed_settings(here, 1, [f"-XX:ArchiveClassesAtExit={runtime.class_archive}", "-Xlog:cds=off"]),
        }
        environment = spark.environment(runtime, here, iceberg=True) | {
            "AWS_ENDPOINT_URL": NOBODY,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nobody",
            "AWS_MAX_ATTEMPTS": "1",
        }
        command = spark.submit(runtime.spark, settings, spark.INSIDE / "warm_up.py", [])
        done = subprocess.run(command, cwd=here, env=environment, capture_output=True, text=True, check=False)
    if done.returncode or not runtime.class_archive.exists():
        LOG.warning("No class archive for %s: %s", runtime.folder.name, done.stderr[-2000:])


def _catalog(name: str, kind: str, warehouse: str) -> dict[str, str]:
    catalog = f"spark.sql.catalog.{name}"
    return {
        catalog: "org.apache.iceberg.spark.SparkCatalog",
        f"{catalog}.type": kind,
        f"{catalog}.warehouse": warehouse,
    }


def _jars(generation: Generation) -> Iterator[tuple[str, str]]:
    for line in _file(generation, "jars").decode().splitlines():
        if not line.startswith("#"):
            sha256, path = line.split()
            yield sha256, path


def _digest(generation: Generation) -> str:
    """Tells the runtimes of different releases apart."""
    return hashlib.sha256(_file(generation, "txt") + _file(generation, "jars")).hexdigest()[:8]


def _file(generation: Generation, ending: str) -> bytes:
    return (spark.HERE / "runtimes" / f"{generation.name}.{ending}").read_bytes()


def _cache() -> Path:
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "localstack-lakehouse"
    cache.mkdir(parents=True, exist_ok=True)
    return cache


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """One at a time, of this process's threads and of other servers."""
    with folder.with_suffix(f"{folder.suffix}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
