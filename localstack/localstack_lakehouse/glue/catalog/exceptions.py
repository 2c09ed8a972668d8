"""The errors that moto's Glue lacks; the others are moto's own."""

from moto.glue.exceptions import GlueClientError


class ConcurrentModificationException(GlueClientError):
    """Somebody else changed it first."""

    def __init__(self, what: str) -> None:
        super().__init__("ConcurrentModificationException", f"Update {what} failed due to concurrent modifications.")


class InvalidInputException(GlueClientError):
    """The request says something that cannot be."""

    def __init__(self, message: str) -> None:
        super().__init__("InvalidInputException", message)


def detail(error: GlueClientError) -> dict[str, str]:
    """An error among those of a batch."""
    return {"ErrorCode": error.error_type, "ErrorMessage": error.message}
