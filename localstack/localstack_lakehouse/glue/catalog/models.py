"""Where the catalog is kept: in moto's models."""

from localstack.aws.api import RequestContext
from moto.glue.models import FakeDatabase, FakeTable, GlueBackend, glue_backends

from ...service import Request


def catalog(context: RequestContext) -> GlueBackend:
    """The catalog of the caller's account in the caller's region."""
    return glue_backends[context.account_id][context.region]


def database_of(context: RequestContext, request: Request, key: str = "DatabaseName") -> FakeDatabase:
    """The database that the request names."""
    return catalog(context).get_database(folded(request[key]))


def table_of(context: RequestContext, request: Request, key: str = "TableName") -> FakeTable:
    """The table that the request names."""
    return catalog(context).get_table(folded(request["DatabaseName"]), folded(request[key]))


def folded(name: str) -> str:
    """A name as Glue stores it."""
    return name.lower()


def arn(context: RequestContext, resource: str) -> str:
    """The ARN of a resource of Glue's."""
    return f"arn:{context.partition}:glue:{context.region}:{context.account_id}:{resource}"
