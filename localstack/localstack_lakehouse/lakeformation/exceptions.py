"""Lake Formation's errors, with what they are about."""

from moto.core.exceptions import JsonRESTError


class EntityNotFoundException(JsonRESTError):
    """It is not there."""

    def __init__(self, what: str) -> None:
        super().__init__("EntityNotFoundException", f"{what} not found.")


class AlreadyExistsException(JsonRESTError):
    """It is there already."""

    def __init__(self, what: str) -> None:
        super().__init__("AlreadyExistsException", f"{what} already exists.")


class InvalidInputException(JsonRESTError):
    """The request says something that cannot be."""

    def __init__(self, message: str) -> None:
        super().__init__("InvalidInputException", message)


def detail(error: JsonRESTError) -> dict[str, str]:
    """An error among those of a batch."""
    return {"ErrorCode": error.error_type, "ErrorMessage": error.message}
