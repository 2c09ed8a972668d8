"""Mends of LocalStack's own Step Functions."""

from functools import cache
from typing import Any

from localstack.aws.api import RequestContext
from localstack.aws.handlers import serve_custom_service_request_handlers


def apply() -> None:
    """Have them applied when Step Functions is first called: its modules take a second to import."""
    serve_custom_service_request_handlers.append(_before_service)


def _before_service(chain: Any, context: RequestContext, response: Any) -> None:
    if context.service and context.service.service_name == "stepfunctions":
        _use_our_tasks()


@cache
def _use_our_tasks() -> None:
    from localstack.services.stepfunctions.asl.component.state.state_execution.state_task import (  # noqa: PLC0415
        state_task_factory,
    )

    from .tasks import AthenaTask, GlueTask  # noqa: PLC0415

    ours: dict[str, type] = {"athena": AthenaTask, "glue": GlueTask}
    module = vars(state_task_factory)
    others = module["state_task_service_for"]
    module["state_task_service_for"] = lambda service_name: (
        ours[service_name]() if service_name in ours else others(service_name=service_name)
    )
