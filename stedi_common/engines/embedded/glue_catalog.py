"""The Glue Data Catalog of a lake in S3.

Glue swaps the metadata of a table only if its `VersionId` is the one that was read. If the answer to a swap is lost,
botocore would repeat the request, and Glue would refuse it, since the version has changed. PyIceberg takes that refusal
for a conflict and deletes the manifests of the commit that was made. So botocore never repeats a change. Before it is
repeated here, the table is looked up, to see whether the change was made.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from pyiceberg.catalog import METADATA_LOCATION
from pyiceberg.catalog.glue import GLUE_MAX_RETRIES, GlueCatalog
from pyiceberg.exceptions import (
    CommitFailedException,
    CommitStateUnknownException,
    NoSuchNamespaceError,
    NoSuchTableError,
)
from pyiceberg.table import Table
from tenacity import retry_if_exception_type

from stedi_common.engines.embedded.bucket_files import FILE_IO
from stedi_common.engines.embedded.lake_catalog import LookupCache
from stedi_common.engines.retry import retrying
from stedi_common.engines.storage import s3
from stedi_common.lake import CATALOG, Lake

#: Errors of a request that was throttled: nothing was changed.
_THROTTLED = ("ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException")
#: With this HTTP status or a higher one the service has failed, and the change may have been made.
_SERVER_ERROR = 500


class GlueLakeCatalog(GlueCatalog):
    """A `LakeCatalog`."""

    unknown_state: tuple[type[Exception], ...] = (CommitStateUnknownException, BotoCoreError, ClientError)
    may_commit_late = True
    checks_here = True

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._lookups = LookupCache()
        self.cached_lookups, self.invalidate = self._lookups.cached, self._lookups.invalidate

    def metadata_location(self, identifier: str) -> str | None:
        """See `LakeCatalog.metadata_location`. It costs one request."""
        try:
            found = self._get_glue_table(*identifier.split("."))
        except NoSuchTableError:
            return None
        location: str | None = found.get("Parameters", {}).get(METADATA_LOCATION)
        return location

    def find_table(self, identifier: str, known: Table | None) -> Table | None:
        """See `LakeCatalog.find_table`."""
        try:
            found = self._get_glue_table(*identifier.split("."))
        except NoSuchTableError:
            return None
        if known and known.metadata_location == found.get("Parameters", {}).get(METADATA_LOCATION):
            return known
        return self._convert_glue_to_iceberg(found)

    def _get_glue_table(self, database_name: str, table_name: str) -> Any:
        look_up = super()._get_glue_table
        return self._lookups.ask(f"{database_name}.{table_name}", lambda: look_up(database_name, table_name))

    def create_table(self, identifier: Any, *args: Any, **named: Any) -> Table:
        """Create a table, and before it its database if there is none."""
        try:
            return super().create_table(identifier, *args, **named)
        except NoSuchNamespaceError:
            self.create_namespace_if_not_exists(identifier.split(".")[0])
        return super().create_table(identifier, *args, **named)

    def _update_glue_table(self, database_name: str, table_name: str, table_input: Any, version_id: str) -> None:
        """Swap the metadata. Repeat it as long as there is no answer and the table does not have the new metadata.

        Raises:
            CommitFailedException: another commit was made in between, and this one was not.
            CommitStateUnknownException: it is not known whether the metadata were swapped.
        """
        location = table_input["Parameters"][METADATA_LOCATION]
        is_repeated = False

        def swap() -> None:
            nonlocal is_repeated
            try:
                super(GlueLakeCatalog, self)._update_glue_table(database_name, table_name, table_input, version_id)
            except CommitFailedException:
                if is_repeated and not self._is_at(database_name, table_name, location):
                    raise CommitStateUnknownException("a repeated swap was refused") from None
                if not is_repeated:
                    raise
            except (BotoCoreError, ClientError) as error:
                if _was_refused(error):
                    raise
                is_repeated = True
                if not self._is_at(database_name, table_name, location):
                    raise _NotSwappedError from error

        try:
            retrying(retry_if_exception_type(_NotSwappedError))(swap)
        except _NotSwappedError as error:
            raise CommitStateUnknownException("no request got an answer") from error

    def _is_at(self, database: str, table: str, location: str) -> bool:
        try:
            return self.metadata_location(f"{database}.{table}") == location
        except (BotoCoreError, ClientError) as error:
            raise CommitStateUnknownException(
                "the request got no answer, and the table could not be looked up"
            ) from error


class _NotSwappedError(Exception):
    """There was no answer, and the table does not have the new metadata so far."""


class _GlueClient:
    """A client of Glue that repeats requests, except those that change a table.

    Args:
        client: a client that repeats requests.
        single_attempt: a client that makes each request once.
    """

    def __init__(self, client: Any, single_attempt: Any) -> None:
        self._client = client
        self.update_table, self.create_table = single_attempt.update_table, single_attempt.create_table

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)


def open_catalog(lake: Lake) -> GlueLakeCatalog:
    """The catalog of a lake in S3."""
    client: Any = _GlueClient(s3.client("glue"), s3.client("glue", attempts=1))
    return GlueLakeCatalog(CATALOG, client, warehouse=lake.above("landing"), **FILE_IO)


def open_named(name: str, properties: Mapping[str, str]) -> GlueLakeCatalog:
    """The catalog of this name in PyIceberg's configuration, with its properties."""
    client, single_attempt = (
        GlueCatalog(name, **{**properties, GLUE_MAX_RETRIES: attempts - 1}).glue for attempts in (s3.MAX_ATTEMPTS, 1)
    )
    glue: Any = _GlueClient(client, single_attempt)
    return GlueLakeCatalog(name, glue, **{**properties, **FILE_IO})


def _was_refused(error: Exception) -> bool:
    """Whether the service has answered that it did not make the change."""
    if not isinstance(error, ClientError):
        return False
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", _SERVER_ERROR)
    return status < _SERVER_ERROR and error.response.get("Error", {}).get("Code") not in _THROTTLED
