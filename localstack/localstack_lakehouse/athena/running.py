"""How a query runs: in a worker's thread, with an engine of its own, to its one final state."""

import logging
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from tempfile import TemporaryFile
from urllib.parse import urlparse

import duckdb
from botocore.exceptions import BotoCoreError, ClientError

from . import ddl, dml, parameters, results, utility
from .catalog import Catalog
from .engine import Engine
from .exceptions import MalformedQueryError, QueryError, ScanLimitError
from .models import QueryExecution, Structure
from .session import Result, Rows, Session

LOG = logging.getLogger(__name__)
WORKERS = 4
HANDLERS: dict[str | None, Callable[[Session, str], Result]] = {
    "CREATE_DATABASE": ddl.create_database,
    "CREATE_TABLE": ddl.create_table,
    "CREATE_TABLE_AS_SELECT": ddl.create_table_as,
    "CREATE_VIEW": ddl.create_view,
    "DELETE": dml.delete,
    "DESCRIBE_TABLE": utility.describe,
    "DROP_DATABASE": ddl.drop_database,
    "DROP_TABLE": ddl.drop_table,
    "DROP_VIEW": ddl.drop_view,
    "INSERT": dml.insert,
    "SELECT": dml.select,
    "SHOW_COLUMNS": utility.show_columns,
    "SHOW_CREATE_TABLE": utility.show_create_table,
    "SHOW_CREATE_VIEW": utility.show_create_view,
    "SHOW_DATABASES": utility.show_databases,
    "SHOW_TABLES": utility.show_tables,
    "SHOW_TABLE_PROPERTIES": utility.show_properties,
    "SHOW_VIEWS": utility.show_views,
}

_workers = ThreadPoolExecutor(WORKERS, "athena")


def submit(execution: QueryExecution) -> None:
    """Queue a query."""
    _workers.submit(_run, execution)


def _run(execution: QueryExecution) -> None:
    with Engine() as engine:
        if not execution.start(engine):
            return
        try:
            _answer(execution, engine)
            execution.end("SUCCEEDED")
        except ScanLimitError:
            execution.end("CANCELLED", "Bytes scanned limit was exceeded")
        except duckdb.InterruptException:
            execution.end("CANCELLED", "Query cancelled by user")
        except QueryError as error:
            execution.end("FAILED", str(error), error)
        except (MalformedQueryError, BotoCoreError, ClientError) as error:
            failure = QueryError("GENERIC_USER_ERROR", str(error))
            execution.end("FAILED", str(failure), failure)
        except Exception as error:
            LOG.exception("Query %s", execution.id)
            failure = QueryError("GENERIC_INTERNAL_ERROR", f"{type(error).__name__}: {error}")
            execution.end("FAILED", str(failure), failure)


def _answer(execution: QueryExecution, engine: Engine) -> None:
    handler = HANDLERS.get(execution.kind.subtype)
    if handler is None:
        name = execution.kind.subtype or execution.query.split(maxsplit=1)[0].upper()
        raise QueryError("NOT_SUPPORTED", f"{name} is not supported by localstack-lakehouse")
    session = Session(Catalog(execution.caller), execution.database, engine, execution.location, execution.limit)
    try:
        result = handler(session, parameters.bind(execution.query, execution.parameters))
    finally:
        execution.scanned = session.scanned
    execution.columns, execution.update_count = result.columns, result.update_count
    _write(execution, result)


def _write(execution: QueryExecution, result: Result) -> None:
    """The result and its metadata, at the query's place."""
    if execution.kind.suffix == ".txt":
        _upload(execution, "", results.text(result.batches))
    elif execution.kind.subtype == "SELECT":
        _upload(execution, "", results.csv(result.columns, _counted(execution, result)))
    if result.columns:
        update = UPDATES.get(execution.kind.subtype or ""), result.update_count
        _upload(execution, ".metadata", [results.metadata(execution.id, result.columns, update)])


UPDATES = {"CREATE_TABLE_AS_SELECT": "CREATE TABLE", "DELETE": "DELETE", "INSERT": "INSERT"}
"""What the metadata calls them."""


def _counted(execution: QueryExecution, result: Result) -> Iterator[Rows]:
    for batch in result.batches:
        if execution.completed:
            raise duckdb.InterruptException
        execution.rows_out += len(batch)
        yield batch


def _upload(execution: QueryExecution, suffix: str, parts: Iterable[bytes]) -> None:
    place = urlparse(execution.location + suffix)
    with TemporaryFile() as file:
        file.writelines(parts)
        execution.bytes_out += 0 if suffix else file.tell()
        file.seek(0)
        execution.caller.client("s3").put_object(
            Bucket=place.netloc,
            Key=place.path.lstrip("/"),
            Body=file,
            ContentType="application/octet-stream",
            **_options(execution.result_configuration),
        )


def _options(configuration: Structure) -> dict[str, str]:
    """What S3 is told of a result."""
    options: dict[str, str] = {}
    encryption = configuration.get("EncryptionConfiguration", {})
    match encryption.get("EncryptionOption"):
        case "SSE_S3":
            options["ServerSideEncryption"] = "AES256"
        case "SSE_KMS":
            options |= {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": encryption["KmsKey"]}
    if configuration.get("AclConfiguration"):
        options["ACL"] = "bucket-owner-full-control"
    if owner := configuration.get("ExpectedBucketOwner"):
        options["ExpectedBucketOwner"] = owner
    return options
