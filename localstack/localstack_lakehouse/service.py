"""A LocalStack service made of providers."""

from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from botocore import xform_name
from localstack.aws.api import CommonServiceException, RequestContext
from localstack.aws.skeleton import Skeleton
from localstack.aws.spec import load_service
from localstack.services.moto import call_moto
from localstack.services.plugins import Service
from moto.core.exceptions import RESTError

Request = dict[str, Any]
Response = dict[str, Any]
Handler = Callable[[RequestContext, Request], Response]


class Provider(Protocol):
    """Its methods are operations in snake case: `get_table(context, request) -> response`."""

    delegated: frozenset[str]
    """The operations, in snake case too, that moto answers as AWS does."""


def service(name: str, *providers: Provider) -> Service:
    """Each operation goes to the first provider that has it; one that none has answers 501 with its name."""
    model = load_service(name)
    table: dict[str, Any] = {operation: _handler(name, operation, providers) for operation in model.operation_names}
    return Service(name, skeleton=Skeleton(model, table))


def _handler(service_name: str, operation: str, providers: tuple[Provider, ...]) -> Handler:
    method = xform_name(operation)
    for provider in providers:
        handler: Handler | None = getattr(provider, method, None)
        if handler:
            return partial(_answer, handler)
        if method in provider.delegated:
            return _delegate
    return partial(_refuse, service_name, operation)


def _answer(handler: Handler, context: RequestContext, request: Request) -> Response:
    try:
        return handler(context, request)
    except RESTError as error:
        # Moto's models raise moto's errors.
        raise CommonServiceException(error.error_type, error.message, error.code, sender_fault=True) from error


def _delegate(context: RequestContext, request: Request) -> Response:
    return dict(call_moto(context))


def _refuse(service_name: str, operation: str, context: RequestContext, request: Request) -> Response:
    raise NotImplementedError(f"{service_name}.{operation} is not supported by localstack-lakehouse")
