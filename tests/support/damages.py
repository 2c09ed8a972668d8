"""Damage to the files of a lake, one at a time, and how it is undone."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

from pyiceberg.manifest import ManifestEntryStatus
from support.lakes import table_of

from stedi_common.contracts import Contract
from stedi_common.lake import local_path

Damage = Callable[[Path, Random], None]


def deleted(file: Path, _: Random) -> None:
    file.unlink()


def truncated(file: Path, dice: Random) -> None:
    content = file.read_bytes()
    file.write_bytes(content[: dice.randrange(len(content))])


def overwritten(file: Path, dice: Random) -> None:
    """By other bytes, of the same length."""
    file.write_bytes(dice.randbytes(file.stat().st_size))


def flipped(file: Path, dice: Random) -> None:
    """A bit of one byte, anywhere."""
    content = bytearray(file.read_bytes())
    content[dice.randrange(len(content))] ^= 1 << dice.randrange(8)
    file.write_bytes(content)


DAMAGES: tuple[Damage, ...] = (deleted, truncated, overwritten, flipped)


@contextmanager
def damaged(file: Path, damage: Damage, dice: Random) -> Iterator[None]:
    """The file is damaged until the block ends."""
    content = file.read_bytes()
    damage(file, dice)
    assert not file.exists() or file.read_bytes() != content
    try:
        yield
    finally:
        file.write_bytes(content)


def files_of(lake: Path, table: Contract) -> dict[str, list[Path]]:
    """The files that a table needs, by their kind; data files that only older snapshots need are `old data file`."""
    loaded = table_of(lake, table)
    lists, manifests, data = [], [], {}
    for snapshot in loaded.snapshots():
        lists.append(snapshot.manifest_list)
        for manifest in snapshot.manifests(loaded.io):
            manifests.append(manifest.manifest_path)
            for entry in manifest.fetch_manifest_entry(loaded.io, discard_deleted=False):
                if entry.status != ManifestEntryStatus.DELETED:
                    data.setdefault(entry.data_file.file_path, set()).add(snapshot.snapshot_id)
    now = {path for path, of in data.items() if loaded.metadata.current_snapshot_id in of}
    found = {
        "metadata": [loaded.metadata_location],
        "manifest list": lists,
        "manifest": manifests,
        "data file": now,
        "old data file": data.keys() - now,
    }
    return {kind: sorted(set(map(local_path, paths))) for kind, paths in found.items()}
