"""What a job brings from S3: its script, files, jars and Python modules."""

import shutil
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path
from shlex import split
from typing import Any
from urllib.parse import urlsplit
from zipfile import BadZipFile, ZipFile

from botocore.exceptions import ClientError

from .exceptions import LaunchError
from .making import uv
from .runtime import Runtime

#: What the name of a zip of wheels ends with.
WHEELS = ".gluewheels.zip"


class Downloads:
    """Takes what a job names into a folder, as the job's role."""

    def __init__(self, s3: Any, folder: Path) -> None:
        self._s3 = s3
        self._folder = folder

    def one(self, uri: str, kind: str) -> Path:
        """The object, in the folder for its kind."""
        parts = urlsplit(uri)
        bucket, key = parts.netloc, parts.path.removeprefix("/")
        file = self._folder / kind / Path(key).name
        file.parent.mkdir(exist_ok=True)
        try:
            self._s3.download_file(bucket, key, str(file))
        except (ClientError, ValueError) as error:
            raise LaunchError(
                f"LAUNCH ERROR | Error downloading from S3 for bucket: {bucket}, key: {key}. {error}"
            ) from None
        return file

    def all(self, uris: Iterable[str], kind: str) -> list[Path]:
        """The objects, in the folder for their kind."""
        return [self.one(uri, kind) for uri in uris]


def install(modules: Iterable[str], options: str, downloads: Downloads, runtime: Runtime, target: Path) -> None:
    """Install modules, by name or from S3, beside those of the runtime: what these satisfy is not installed again."""
    target.mkdir()
    for installed in runtime.site_packages.glob("*.dist-info"):
        shutil.copytree(installed, target / installed.name)
    wanted = chain.from_iterable(_requirements(module, downloads) for module in modules)
    try:
        uv("pip", "install", "--python", str(runtime.python), "--target", str(target), *split(options), *wanted)
    except LaunchError as error:
        raise LaunchError(f"LAUNCH ERROR | Installation of additional Python modules failed: {error}") from None


def _requirements(module: str, downloads: Downloads) -> Iterator[str]:
    if not module.startswith("s3://"):
        yield module
        return
    file = downloads.one(module, "modules")
    if file.name.endswith(WHEELS):
        yield from _of_wheels(file)
    else:
        yield str(file)


def _of_wheels(archive: Path) -> Iterator[str]:
    """A zip of wheels is an index of its own, the folder `wheels`, whose requirements.txt says what to install."""
    folder = archive.with_suffix("")
    try:
        with ZipFile(archive) as zipped:
            zipped.extractall(folder)
    except BadZipFile as error:
        raise LaunchError(f"LAUNCH ERROR | {archive.name}: {error}") from None
    requirements = folder / "wheels" / "requirements.txt"
    if not requirements.exists():
        raise LaunchError(f"LAUNCH ERROR | {archive.name}: expected wheels/requirements.txt in it")
    yield from ("--find-links", str(requirements.parent), "-r", str(requirements))
