"""Mends of LocalStack's own CloudWatch Logs.

It takes every event of every group to match every filter, and sends each match by itself.
"""

from functools import cache
from typing import Any

from localstack.aws.api import RequestContext
from localstack.aws.connect import connect_to
from localstack.aws.handlers import run_custom_response_handlers, serve_custom_service_request_handlers
from werkzeug import Response

from .metric_filters import check, measured

MOST = 1000
"""As many data as CloudWatch takes at once."""


def apply() -> None:
    """Have them applied when CloudWatch Logs is first called."""
    serve_custom_service_request_handlers.append(_before_service)
    run_custom_response_handlers.append(_after_service)


def _before_service(chain: Any, context: RequestContext, response: Any) -> None:
    if context.service and context.service.service_name == "logs":
        _measure_nothing_by_itself()
    if _calls(context, "PutMetricFilter"):
        request: Any = context.service_request
        check(request["filterPattern"], request["metricTransformations"])
        # Moto would keep the one of that name, too.
        _filters(context).delete_filter(request["filterName"], request["logGroupName"])


def _after_service(chain: Any, context: RequestContext, response: Response) -> None:
    if not _calls(context, "PutLogEvents") or response.status_code != 200:
        return
    request: Any = context.service_request
    messages = [event["message"] for event in request["logEvents"]]
    found = measured(_filters(context).metric_filters, request["logGroupName"], messages)
    if not found:
        return
    cloudwatch = connect_to(aws_access_key_id=context.account_id, region_name=context.region).cloudwatch
    for namespace, data in found.items():
        for start in range(0, len(data), MOST):
            cloudwatch.put_metric_data(Namespace=namespace, MetricData=data[start : start + MOST])


def _calls(context: RequestContext, operation: str) -> bool:
    called = context.service_operation
    return bool(called and (called.service, called.operation) == ("logs", operation))


@cache
def _measure_nothing_by_itself() -> None:
    from localstack.services.logs import provider  # noqa: PLC0415

    vars(provider)["is_api_enabled"] = lambda name: False


def _filters(context: RequestContext) -> Any:
    from localstack.services.logs.models import get_moto_logs_backend  # noqa: PLC0415

    return get_moto_logs_backend(context.account_id, context.region).filters
