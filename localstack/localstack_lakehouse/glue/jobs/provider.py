"""Glue's jobs and their runs."""

import os
import shutil
from pathlib import Path
from typing import Any

from localstack import config
from localstack.aws.api import RequestContext
from moto.glue.models import glue_backends

from ...atomic import atomic
from ...paging import page
from ...service import Request, Response
from ..security.models import configuration
from . import arguments, runner
from .exceptions import (
    ConcurrentRunsExceededException,
    EntityNotFoundException,
    IdempotentParameterMismatchException,
    InvalidInputException,
)
from .launch import Place
from .logs import LogGroups
from .models import Job, JobRun, JobStore, defined, job_stores
from .runtime import generation

RUNNABLE = ("glueetl", "pythonshell")


@atomic
class JobsProvider:
    """Glue's jobs, and their runs on real Spark."""

    delegated: frozenset[str] = frozenset()

    def __init__(self) -> None:
        # What the runs of a server that was killed have left.
        shutil.rmtree(_folder(), ignore_errors=True)

    def create_job(self, context: RequestContext, request: Request) -> Response:
        """Define a job. The same definition again is no error, another one is."""
        name = request["Name"]
        definition = defined(name, request)
        known = _store(context).jobs.get(name)
        if known and not _same(known.definition, definition):
            raise IdempotentParameterMismatchException(
                f"Job with name '{name}' already submitted with different configuration"
            )
        if not known:
            _store(context).jobs[name] = Job(definition)
            glue_backends[context.account_id][context.region].tag_resource(_arn(context, name), request.get("Tags"))
        return {"Name": name}

    def update_job(self, context: RequestContext, request: Request) -> Response:
        """Replace a job's definition."""
        job = _job(context, request["JobName"])
        job.definition = defined(job.name, request["JobUpdate"], job.definition["CreatedOn"])
        return {"JobName": job.name}

    def get_job(self, context: RequestContext, request: Request) -> Response:
        """Get one job."""
        return {"Job": _job(context, request["JobName"]).definition}

    def get_jobs(self, context: RequestContext, request: Request) -> Response:
        """Get all jobs, in pages."""
        jobs, token = page([job.definition for job in _store(context).jobs.values()], request)
        return {"Jobs": jobs, "NextToken": token}

    def batch_get_jobs(self, context: RequestContext, request: Request) -> Response:
        """Get the jobs of these names."""
        known = _store(context).jobs
        return {
            "Jobs": [known[name].definition for name in request["JobNames"] if name in known],
            "JobsNotFound": [name for name in request["JobNames"] if name not in known],
        }

    def list_jobs(self, context: RequestContext, request: Request) -> Response:
        """The names of the jobs, in pages; with tags, of those that carry them all."""
        wanted = (request.get("Tags") or {}).items()
        tags = glue_backends[context.account_id][context.region].get_tags
        names = [name for name in _store(context).jobs if wanted <= tags(_arn(context, name)).items()]
        shown, token = page(names, request)
        return {"JobNames": shown, "NextToken": token}

    def delete_job(self, context: RequestContext, request: Request) -> Response:
        """Delete a job. One that is not there is no error."""
        name = request["JobName"]
        _store(context).jobs.pop(name, None)
        glue_backends[context.account_id][context.region].tagger.delete_all_tags_for_resource(_arn(context, name))
        return {"JobName": name}

    def start_job_run(self, context: RequestContext, request: Request) -> Response:
        """Start a run of a job."""
        job = _store(context).jobs.get(request["JobName"])
        if not job:
            raise EntityNotFoundException("Failed to start job run due to missing metadata.")
        run = _new_run(context, job, request)
        if job.is_full:
            raise ConcurrentRunsExceededException(f"Concurrent runs exceeded for {job.name}")
        runner.start(job, run, _place(context))
        return {"JobRunId": run.id}

    def get_job_run(self, context: RequestContext, request: Request) -> Response:
        """Get one run."""
        job = _job(context, request["JobName"])
        return {"JobRun": _run(job, request["RunId"]).shape}

    def get_job_runs(self, context: RequestContext, request: Request) -> Response:
        """Get a job's runs, the latest first, in pages."""
        runs, token = page([run.shape for run in reversed(_job(context, request["JobName"]).runs)], request)
        return {"JobRuns": runs, "NextToken": token}

    def batch_stop_job_run(self, context: RequestContext, request: Request) -> Response:
        """Stop runs of a job."""
        job = _job(context, request["JobName"])
        stopped: list[dict[str, Any]] = []
        errors: list[dict[str, Any]] = []
        for run_id in request["JobRunIds"]:
            which = {"JobName": job.name, "JobRunId": run_id}
            try:
                _stop(_run(job, run_id))
                stopped.append(which)
            except (EntityNotFoundException, InvalidInputException) as error:
                errors.append(which | {"ErrorDetail": {"ErrorCode": error.error_type, "ErrorMessage": error.message}})
        return {"SuccessfulSubmissions": stopped, "Errors": errors}


def _new_run(context: RequestContext, job: Job, request: Request) -> JobRun:
    """The run that is asked for. What could not run as its definition says is refused at once."""
    if previous := request.get("JobRunId"):
        again = _run(job, previous)
        request = {"Arguments": again.shape["Arguments"]} | request
    given = arguments.overlaid(
        job.definition.get("DefaultArguments", {}),
        job.definition.get("NonOverridableArguments", {}),
        request.get("Arguments") or {},
    )
    command = job.definition["Command"]["Name"]
    if command not in RUNNABLE:
        raise InvalidInputException(f"Command {command}: only {' and '.join(RUNNABLE)} jobs run here")
    if command == "glueetl":
        generation(job.definition["GlueVersion"])
        arguments.check(given)
    security = request.get("SecurityConfiguration") or job.definition.get("SecurityConfiguration")
    found = configuration(context, security) if security else None
    return JobRun.of(job.definition, request, given, LogGroups.of(job.definition, given, found))


def _stop(run: JobRun) -> None:
    if not run.stop():
        raise InvalidInputException(f"JobRun {run.id} is in the terminal state {run.state}")


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    times = {"CreatedOn", "LastModifiedOn"}
    return all(one.get(key) == other.get(key) for key in (one.keys() | other.keys()) - times)


def _job(context: RequestContext, name: str) -> Job:
    try:
        return _store(context).jobs[name]
    except KeyError:
        raise EntityNotFoundException(f"Job with name: {name} not found.") from None


def _run(job: Job, run_id: str) -> JobRun:
    for run in job.runs:
        if run.id == run_id:
            return run
    raise EntityNotFoundException(f"Job run with id: {run_id} of job: {job.name} not found.")


def _store(context: RequestContext) -> JobStore:
    return job_stores[context.account_id][context.region]


def _arn(context: RequestContext, name: str) -> str:
    return f"arn:{context.partition}:glue:{context.region}:{context.account_id}:job/{name}"


def _place(context: RequestContext) -> Place:
    # By number: AWS's SDKs then put a bucket's name into the path, not before the host.
    endpoint = f"http://127.0.0.1:{config.GATEWAY_LISTEN[0].port}"
    return Place(context.account_id, context.region, endpoint, _folder())


def _folder() -> Path:
    return Path(os.environ.get("FILESYSTEM_ROOT") or config.dirs.tmp) / "glue-jobs"
