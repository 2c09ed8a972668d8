"""What the embedded engine needs of a catalog, and how the catalog of a lake is opened."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

from pyiceberg.exceptions import NoSuchNamespaceError, NoSuchTableError
from pyiceberg.table import CommitTableResponse, Table

from stedi_common.engines.storage import s3
from stedi_common.engines.storage.named_catalogs import GLUE, named_catalog
from stedi_common.lake import Lake


class LakeCatalog(Protocol):
    """A PyIceberg catalog with a few additions. A commit is compare-and-swap: it is refused if the table has changed.

    Attributes:
        unknown_state: errors after which it is not known whether the catalog has made a change.
        may_commit_late: whether a commit may still be made after CommitStateUnknownException, although the table does
            not have it yet: its request may arrive later. Then the files of the commit must stay.
        checks_here: whether this process checks what a commit requires. If not, a server does, which knows only the
            requirements of Iceberg's REST protocol.
    """

    unknown_state: tuple[type[Exception], ...]
    may_commit_late: bool
    checks_here: bool

    def metadata_location(self, identifier: str) -> str | None:
        """Where the metadata of a table lie; None if there is no such table."""

    def find_table(self, identifier: str, known: Table | None) -> Table | None:
        """The table with its current metadata: `known` if these are still its own; None if there is no such table.

        It costs one request. Metadata grow with every commit, so they are read only if they have changed.
        """

    def cached_lookups(self) -> AbstractContextManager[None]:
        """In the block, a table of a remote catalog is looked up at most once. Nothing is committed in it."""

    def invalidate(self, identifier: str) -> None:
        """Look the table up again when it is asked for next."""

    def load_table(self, identifier: str) -> Table:
        """The table with its current metadata. Raises NoSuchTableError."""

    def create_table(self, identifier: str, *args: Any, **named: Any) -> Table:
        """Create a table. Raises TableAlreadyExistsError."""

    def drop_table(self, identifier: str) -> None:
        """Remove a table from the catalog; its files stay. Raises NoSuchTableError."""

    def commit_table(self, *args: Any, **named: Any) -> CommitTableResponse:
        """Commit updates to a table. Raises CommitFailedException if another commit was made in between."""

    def close(self) -> None:
        """Close the connections."""


class LookupCache:
    """The answers of a remote catalog about its tables. They are kept only in the block of `cached`."""

    def __init__(self) -> None:
        self._kept: dict[str, Any] | None = None

    @contextmanager
    def cached(self) -> Iterator[None]:
        """See `LakeCatalog.cached_lookups`."""
        before = self._kept
        self._kept = {} if before is None else before
        try:
            yield
        finally:
            self._kept = before

    def invalidate(self, identifier: str) -> None:
        """See `LakeCatalog.invalidate`."""
        if self._kept:
            self._kept.pop(identifier, None)

    def ask(self, identifier: str, look_up: Callable[[], Any]) -> Any:
        """What `look_up` returns or raises about a table, or has before."""
        if self._kept is None:
            return look_up()
        if identifier not in self._kept:
            try:
                self._kept[identifier] = look_up()
            except (NoSuchTableError, NoSuchNamespaceError) as error:
                self._kept[identifier] = error
        answer = self._kept[identifier]
        if isinstance(answer, Exception):
            raise answer
        return answer


def open_catalog(lake: Lake, *, writes: bool = True) -> LakeCatalog:
    """The catalog of the lake.

    Args:
        lake: the lake.
        writes: whether tables may change. Who only reads a lake in a folder needs fewer libraries.

    Raises:
        LakeError: it cannot be opened.
    """
    # Each catalog needs libraries of its own.
    if lake.is_local and not writes:
        from stedi_common.engines.embedded.read_only import ReadOnlyCatalog  # noqa: PLC0415

        return ReadOnlyCatalog(lake)
    if lake.is_local:
        from stedi_common.engines.embedded import sqlite_catalog  # noqa: PLC0415

        return sqlite_catalog.open_catalog(lake)
    try:
        if lake.catalog:
            return _open_named(lake)
        from stedi_common.engines.embedded import glue_catalog  # noqa: PLC0415
    except ModuleNotFoundError:
        raise s3.missing_library() from None
    return glue_catalog.open_catalog(lake)


def _open_named(lake: Lake) -> LakeCatalog:
    """The catalog of a lake in S3 by its name in PyIceberg's configuration."""
    catalog = named_catalog(lake)
    if catalog.kind == GLUE:
        from stedi_common.engines.embedded.glue_catalog import open_named  # noqa: PLC0415

        return open_named(catalog.name, catalog.properties)
    from stedi_common.engines.embedded.bucket_files import FILE_IO  # noqa: PLC0415
    from stedi_common.engines.embedded.rest_catalog import RestLakeCatalog  # noqa: PLC0415

    return RestLakeCatalog(catalog.name, **{**catalog.properties, **FILE_IO})
