"""What LocalStack finds through this package's entry points."""

from localstack.runtime import hooks
from localstack.services.plugins import Service, aws_provider


@aws_provider()
def athena() -> Service:
    """Athena."""
    from .athena.provider import AthenaProvider
    from .service import service

    return service("athena", AthenaProvider())


@aws_provider()
def glue() -> Service:
    """Glue."""
    from .glue.catalog.provider import CatalogProvider
    from .glue.jobs.provider import JobsProvider
    from .glue.optimizers.provider import OptimizersProvider
    from .glue.security.provider import SecurityProvider
    from .service import service

    return service("glue", CatalogProvider(), JobsProvider(), SecurityProvider(), OptimizersProvider())


@aws_provider()
def lakeformation() -> Service:
    """Lake Formation."""
    from .lakeformation.provider import LakeFormationProvider
    from .service import service

    return service("lakeformation", LakeFormationProvider())


@hooks.on_infra_start()
def answer_retries() -> None:
    """Carry out no call twice."""
    from localstack.aws.handlers import run_custom_response_handlers, serve_custom_service_request_handlers

    from .retries import Answers

    answers = Answers()
    serve_custom_service_request_handlers.append(answers.again)
    run_custom_response_handlers.append(answers.keep)


@hooks.on_infra_start()
def log_lakehouse_requests() -> None:
    """Log who called what."""
    from localstack.aws.handlers import run_custom_response_handlers

    from .requests import RequestLog, path

    run_custom_response_handlers.append(RequestLog(path()))


@hooks.on_infra_start()
def mend_logs() -> None:
    """Let metric filters measure."""
    from .logs import patches

    patches.apply()


@hooks.on_infra_start()
def mend_stepfunctions() -> None:
    """Let Step Functions drive Glue jobs."""
    from .stepfunctions import patches

    patches.apply()
