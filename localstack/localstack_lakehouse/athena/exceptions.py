"""What Athena answers when it cannot: to a request, and as the end of a query."""

from localstack.aws.api import ServiceException


class InvalidRequestException(ServiceException):
    """The request is wrong."""

    code = "InvalidRequestException"
    status_code = 400
    sender_fault = False

    def __init__(self, message: str, athena_code: str = "INVALID_INPUT") -> None:
        super().__init__(message, AthenaErrorCode=athena_code)


class MetadataException(ServiceException):
    """The catalog has no such thing."""

    code = "MetadataException"
    status_code = 400
    sender_fault = False


class ResourceNotFoundException(ServiceException):
    """There is no resource with this ARN."""

    code = "ResourceNotFoundException"
    status_code = 400
    sender_fault = False

    def __init__(self, arn: str) -> None:
        super().__init__(f"Resource {arn} is not found.", ResourceName=arn)


class MalformedQueryError(Exception):
    """The text is no statement; Athena refuses to start it."""


class QueryError(Exception):
    """A query failed, in the engine's words: NAME: line 1:8: reason."""

    def __init__(self, name: str, reason: str, position: str = "") -> None:
        super().__init__(f"{name}: {position and position + ': '}{reason}")
        self.name = name
        self.category = SYSTEM if name in {"GENERIC_INTERNAL_ERROR", "EXCEEDED_LOCAL_MEMORY_LIMIT"} else USER

    @property
    def error_type(self) -> int:
        """Athena's number for the name; those that nobody has published are 1000."""
        return ERROR_TYPES.get(self.name, 1000)


def column_not_found(name: str, position: str = "") -> QueryError:
    """A query names a column that is not there."""
    reason = f"Column '{name}' cannot be resolved or requester is not authorized to access requested resources"
    return QueryError("COLUMN_NOT_FOUND", reason, position)


class ScanLimitError(Exception):
    """The files of a query are larger than its workgroup allows."""


SYSTEM = 1
USER = 2
"""AthenaError's categories."""

ERROR_TYPES = {
    "CATALOG_NOT_FOUND": 1006,
    "COLUMN_NOT_FOUND": 1006,
    "DIVISION_BY_ZERO": 1001,
    "FUNCTION_NOT_FOUND": 1303,
    "INVALID_CAST_ARGUMENT": 1100,
    "MISSING_COLUMN_NAME": 1100,
    "NOT_SUPPORTED": 1200,
    "SCHEMA_NOT_FOUND": 1301,
    "TABLE_NOT_FOUND": 1301,
    "TYPE_MISMATCH": 1002,
}
