"""Files that are written atomically: a reader finds the whole old content or the whole new one."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def overwritten(path: Path, mode: int = 0o600) -> Iterator[Path]:
    """A new file, which overwrites the path when the block ends without an error. Else it is removed.

    Args:
        path: the file to overwrite. It need not be there, but its folder must be.
        mode: the mode of the new file.

    Yields:
        The path of the new file, which is empty.
    """
    with _draft(path) as draft:
        yield draft
        draft.chmod(mode)
        draft.replace(path)


def write_new(path: Path, text: str, mode: int = 0o600) -> None:
    """Write a file, unless it is there. If two processes do so at once, the file of the first one stays.

    Args:
        path: the file. Its folder must be there.
        text: its content.
        mode: its mode.
    """
    with _draft(path) as draft:
        draft.write_text(text, encoding="utf-8")
        draft.chmod(mode)
        with suppress(FileExistsError):
            path.hardlink_to(draft)


def current_umask() -> int:
    """The umask of this process. It can be read only by setting it, so it is set back at once."""
    before = os.umask(0o077)
    os.umask(before)
    return before


@contextmanager
def umask(mask: int) -> Iterator[None]:
    """The umask of this process until the block ends."""
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@contextmanager
def _draft(path: Path) -> Iterator[Path]:
    """An empty file beside the path, for its owner alone, until the block ends."""
    draft = path.with_name(f".{path.name}-{secrets.token_hex(8)}")
    os.close(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        yield draft
    finally:
        draft.unlink(missing_ok=True)
