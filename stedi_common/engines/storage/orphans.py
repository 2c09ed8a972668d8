"""Orphan files of a table in a folder, left by snapshot expiry or by killed runs: no snapshot refers to them.

Files of a history that the catalog has lost are no orphans, though no snapshot that it knows refers to them. So what
neither a kept snapshot nor one that has expired lately names is left if it is newer than the last commit, or most of
the table, or if metadata beside it show another history. See docs/decisions/lost-catalog.md.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from stedi_common.contracts import Contract
from stedi_common.engines.errors import conflict, unreadable
from stedi_common.engines.protocol import OrphanRemoval
from stedi_common.engines.storage.checksums import sidecar
from stedi_common.engines.storage.metadata_files import HINT, Metadata, MetadataFile, previous, readable
from stedi_common.engines.storage.table_files import named_files, needed_files
from stedi_common.errors import CHECK_NAMES_FILES, DamagedFileError
from stedi_common.instants import from_seconds
from stedi_common.lake import Lake, local_path

#: Which share of a table's bytes may be removed though no snapshot ever named it. Killed runs leave less than they were
#: about to add, and the run after them adds it. A lost history is what the table was before it: nearly all of it.
MAX_UNKNOWN_SHARE = 0.5


@dataclass(frozen=True)
class TableState:
    """What the catalog knows of a table: where its metadata are, and when its rows were last committed (UTC)."""

    metadata_location: str
    committed_at: datetime


#: The files below a table's folder: bytes of each, and when it was last written (UTC).
_Listed = Mapping[Path, tuple[int, datetime]]


def remove_orphans(
    lake: Lake, contract: Contract, older_than: datetime, look_up: Callable[[], TableState], *, unknown: bool = False
) -> OrphanRemoval:
    """Remove files below a table's folder that no snapshot refers to: see `Maintenance.remove_orphans`.

    Args:
        lake: the lake, in a folder.
        contract: the table's.
        older_than: only files that were written before then, UTC without zone.
        look_up: looks the table up. It is called after the folder was listed: what was committed in between is known.
        unknown: whether files are also removed that are newer than the last commit, or most of the table.

    Raises:
        CommitConflictError: other maintenance has expired snapshots in between.
        LakeError: a manifest list or a manifest is missing or damaged.
    """
    folder = local_path(lake.table_location(contract))
    listed = _listed(folder)
    state = look_up()
    try:
        metadata = _read(state.metadata_location)
        needed = needed_files(metadata) | {local_path(state.metadata_location), folder / "metadata" / HINT}
    except FileNotFoundError as error:
        if look_up().metadata_location != state.metadata_location:
            raise conflict(contract) from None
        raise unreadable(contract.identifier, error.filename) from None
    orphans = {file for file, (_, at) in listed.items() if at < older_than} - needed
    is_lost = not unknown and _has_lost_history(orphans, metadata)
    unnamed = set() if unknown else _unnamed(orphans, listed, metadata, state, is_lost=is_lost)
    newer = {file for file in unnamed if listed[file][1] >= state.committed_at}
    total, unknown_bytes = _bytes(listed, listed), _bytes(unnamed if is_lost else unnamed - newer, listed)
    if is_lost or unknown_bytes > MAX_UNKNOWN_SHARE * total:
        return OrphanRemoval(0, len(newer), unknown_bytes, total)
    for file in sorted(orphans - newer, key=_turn):
        file.unlink(missing_ok=True)
        sidecar(file).unlink(missing_ok=True)
    _remove_empty_folders(folder, older_than)
    return OrphanRemoval(len(orphans - newer), len(newer))


def _has_lost_history(orphans: set[Path], metadata: Metadata) -> bool:
    """Whether a commit was made on a commit, and the table descends from neither: a killed commit leaves one file."""
    unknown = {file.name: file for path in orphans if (file := MetadataFile.at(path))}
    if len(unknown) < 2:
        return False
    ancestors, waiting = dict[str, MetadataFile](), [metadata]
    while waiting:  # each names the last few before it
        before = {file.name: file for file in previous(waiting.pop()) if file.name not in ancestors}
        ancestors |= before
        waiting += readable(before.values())
    strange = unknown.keys() - ancestors.keys()
    return any(file.name in strange for one in readable(map(unknown.__getitem__, strange)) for file in previous(one))


def _unnamed(orphans: set[Path], listed: _Listed, metadata: Metadata, state: TableState, *, is_lost: bool) -> set[Path]:
    """The orphans that no snapshot names, kept or expired lately. They are looked for only if they may matter."""
    is_recent = any(listed[file][1] >= state.committed_at for file in orphans)
    if not is_lost and not is_recent and _bytes(orphans, listed) <= MAX_UNKNOWN_SHARE * _bytes(listed, listed):
        return set()
    return orphans - named_files([metadata, *readable(previous(metadata))])


def _listed(folder: Path) -> _Listed:
    """The files below the folder. The checksums that a writer keeps beside a file go with it."""
    found: dict[Path, tuple[int, datetime]] = {}
    for path in folder.rglob("*"):
        with suppress(FileNotFoundError):  # who wrote it has removed it
            if path.is_file():
                stat = path.stat()
                found[path] = stat.st_size, from_seconds(stat.st_mtime)
    checksums = set(map(sidecar, found))
    return {path: stat for path, stat in found.items() if path not in checksums}


def _read(location: str) -> Metadata:
    try:
        return MetadataFile(local_path(location), 0).read()
    except ValueError:
        raise DamagedFileError(
            f"{local_path(location)}: expected the metadata of a table, got damaged ones", hint=CHECK_NAMES_FILES
        ) from None


def _bytes(files: Iterable[Path], listed: _Listed) -> int:
    return sum(listed[file][0] for file in files)


def _turn(file: Path) -> tuple[bool, bool, str]:
    """Data files go first, then manifests, then their lists: after a kill these still tell whose the rest was."""
    return file.parent.name == "metadata", not file.name.endswith(".avro") or file.name.startswith("snap-"), file.name


def _remove_empty_folders(folder: Path, older_than: datetime) -> None:
    """Remove folders that have been empty since before then: a younger one may be about to be written to."""
    for path, *_ in os.walk(folder, topdown=False):
        with suppress(OSError):  # it is not empty, or gone
            if Path(path) != folder and from_seconds(Path(path).stat().st_mtime) < older_than:
                Path(path).rmdir()
