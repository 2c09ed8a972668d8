"""Glue's table optimizers. They are kept, and never run."""

from typing import Any

from localstack.aws.api import RequestContext
from moto.glue.exceptions import AlreadyExistsException, EntityNotFoundException, GlueClientError
from moto.glue.models import FakeTable

from ...atomic import atomic
from ...service import Request, Response
from ..catalog.exceptions import InvalidInputException, detail
from ..catalog.models import table_of
from .models import Optimizer, optimizers


@atomic
class OptimizersProvider:
    """Operations on table optimizers: at most one of each type for an Iceberg table."""

    delegated: frozenset[str] = frozenset()

    def create_table_optimizer(self, context: RequestContext, request: Request) -> Response:
        """Create an optimizer."""
        table, kind = table_of(context, request), request["Type"]
        if table.as_dict().get("Parameters", {}).get("table_type", "").upper() != "ICEBERG":
            raise InvalidInputException(f"{table.name} is not an Iceberg table.")
        if kind in optimizers(table):
            raise AlreadyExistsException(f"Optimizer of type {kind}")
        optimizers(table)[kind] = _optimizer(request)
        return {}

    def get_table_optimizer(self, context: RequestContext, request: Request) -> Response:
        """Get the optimizer of a type."""
        where = {key: request[key] for key in ("CatalogId", "DatabaseName", "TableName")}
        return {**where, "TableOptimizer": _found(table_of(context, request), request["Type"])}

    def batch_get_table_optimizer(self, context: RequestContext, request: Request) -> Response:
        """Get several optimizers, and tell which are not there."""
        found: list[dict[str, Any]] = []
        failures: list[dict[str, Any]] = []
        for entry in request["Entries"]:
            where = {key: value for key, value in entry.items() if key != "type"}
            try:
                table = table_of(context, {"DatabaseName": entry["databaseName"], "TableName": entry["tableName"]})
                found.append({**where, "tableOptimizer": _found(table, entry["type"])})
            except GlueClientError as error:
                failures.append({**entry, "error": detail(error)})
        return {"TableOptimizers": found, "Failures": failures}

    def update_table_optimizer(self, context: RequestContext, request: Request) -> Response:
        """Replace an optimizer's configuration."""
        _found(table_of(context, request), request["Type"]).update(_optimizer(request))
        return {}

    def delete_table_optimizer(self, context: RequestContext, request: Request) -> Response:
        """Delete an optimizer."""
        table = table_of(context, request)
        del optimizers(table)[_found(table, request["Type"])["type"]]
        return {}

    def list_table_optimizer_runs(self, context: RequestContext, request: Request) -> Response:
        """List an optimizer's runs: none, ever."""
        _found(table_of(context, request), request["Type"])
        return {
            **{key: request[key] for key in ("CatalogId", "DatabaseName", "TableName")},
            "TableOptimizerRuns": [],
        }


def _optimizer(request: Request) -> Optimizer:
    configuration = request["TableOptimizerConfiguration"]
    return {"type": request["Type"], "configuration": configuration, "configurationSource": "table"}


def _found(table: FakeTable, kind: str) -> Optimizer:
    if kind not in optimizers(table):
        raise EntityNotFoundException(f"{table.name} has no optimizer of type {kind}.")
    return optimizers(table)[kind]
