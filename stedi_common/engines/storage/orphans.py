"""Orphan files of a table, left by snapshot expiry or by killed runs: no snapshot refers to them.

Files of a history that the catalog has lost are no orphans, though no snapshot that it knows refers to them. So what
neither a kept snapshot nor one that has expired lately names is left if it is newer than the last commit, or most of
the table, or if metadata beside it show another history. See docs/decisions/lost-catalog.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from stedi_common.contracts import Contract
from stedi_common.engines.errors import conflict, hint_of, unreadable
from stedi_common.engines.protocol import OrphanRemoval
from stedi_common.engines.storage.metadata_files import HINT, Metadata, MetadataFile, previous, readable
from stedi_common.engines.storage.table_files import named_files, needed_files
from stedi_common.engines.storage.table_folder import Listing, table_folder
from stedi_common.errors import DamagedFileError
from stedi_common.lake import Lake, canonical

#: Which share of a table's bytes may be removed though no snapshot ever named it. Killed runs leave less than they were
#: about to add, and the run after them adds it. A lost history is what the table was before it: nearly all of it.
MAX_UNKNOWN_SHARE = 0.5
#: A file that is dated later than this was written by a wrong clock. Clocks of different machines differ by less.
MAX_AHEAD = timedelta(days=1)


@dataclass(frozen=True)
class TableState:
    """What the catalog knows of a table.

    Attributes:
        metadata_location: where its metadata are.
        committed_at: when its rows were last committed (UTC).
        metadata: its metadata; None if they are read from their file. Only a REST server may be able to read that.
    """

    metadata_location: str
    committed_at: datetime
    metadata: Metadata | None = None


def remove_orphans(
    lake: Lake, contract: Contract, older_than: datetime, look_up: Callable[[], TableState], *, unknown: bool = False
) -> OrphanRemoval:
    """Remove files below a table's folder that no snapshot refers to: see `Maintenance.remove_orphans`.

    Args:
        lake: the lake.
        contract: the table's.
        older_than: only files that were written before then, UTC without zone.
        look_up: looks the table up. It is called after the folder was listed: what was committed in between is known.
        unknown: whether files are also removed that are newer than the last commit, or most of the table.

    Raises:
        CommitConflictError: other maintenance has expired snapshots in between.
        LakeError: a manifest list or a manifest is missing or damaged.
    """
    folder = table_folder(lake, contract)
    listed = folder.files()
    state = look_up()
    try:
        metadata = state.metadata or _read(state.metadata_location)
        needed = needed_files(metadata) | {canonical(state.metadata_location), f"{folder.location}/metadata/{HINT}"}
    except FileNotFoundError as error:
        if look_up().metadata_location != state.metadata_location:
            raise conflict(contract) from None
        raise unreadable(contract.identifier, error.filename) from None
    orphans = {file for file, found in listed.items() if _is_old(found.written_at, older_than)} - needed
    is_lost = not unknown and _has_lost_history(orphans, metadata)
    unnamed = set() if unknown else _unnamed(orphans, listed, metadata, state, is_lost=is_lost)
    newer = {file for file in unnamed if listed[file].written_at >= state.committed_at}
    total, unknown_bytes = _bytes(listed, listed), _bytes(unnamed if is_lost else unnamed - newer, listed)
    if is_lost or unknown_bytes > MAX_UNKNOWN_SHARE * total:
        return OrphanRemoval(0, len(newer), unknown_bytes, total)
    folder.remove(sorted(orphans - newer, key=_turn))
    folder.remove_empty_folders(older_than)
    return OrphanRemoval(len(orphans - newer), len(newer))


def _is_old(written_at: datetime, older_than: datetime) -> bool:
    """Whether a file was written before then, or by a clock that was in the future: nobody knows how old it is.

    If no snapshot ever named it, it is newer than the last commit, and left.
    """
    return written_at < older_than or written_at > datetime.now(UTC).replace(tzinfo=None) + MAX_AHEAD


def _has_lost_history(orphans: Collection[str], metadata: Metadata) -> bool:
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


def _unnamed(
    orphans: Collection[str], listed: Listing, metadata: Metadata, state: TableState, *, is_lost: bool
) -> set[str]:
    """The orphans that no snapshot names, kept or expired lately. They are looked for only if they may matter."""
    is_recent = any(listed[file].written_at >= state.committed_at for file in orphans)
    if not is_lost and not is_recent and _bytes(orphans, listed) <= MAX_UNKNOWN_SHARE * _bytes(listed, listed):
        return set()
    return set(orphans) - named_files([metadata, *readable(previous(metadata))])


def _read(location: str) -> Metadata:
    try:
        return MetadataFile(canonical(location), 0).read()
    except ValueError:
        file = canonical(location)
        raise DamagedFileError(f"{file}: expected the metadata of a table, got damaged ones", hint_of(file)) from None


def _bytes(files: Iterable[str], listed: Listing) -> int:
    return sum(listed[file].bytes for file in files)


def _turn(file: str) -> tuple[bool, bool, str]:
    """Data files go first, then manifests, then their lists: after a kill these still tell whose the rest was."""
    folder, _, name = file.rpartition("/")
    return folder.endswith("/metadata"), not name.endswith(".avro") or name.startswith("snap-"), name
