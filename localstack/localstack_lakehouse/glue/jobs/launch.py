"""What a run needs before its process can start."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from os import pathsep
from pathlib import Path

from localstack.aws.connect import ServiceLevelClientFactory

from . import arguments, role, spark
from .files import Downloads, install
from .making import made
from .models import JobRun
from .runtime import GENERATIONS, Generation, Runtime


@dataclass(frozen=True)
class Place:
    """Where jobs run: for whom, against which endpoint, below which folder."""

    account: str
    region: str
    endpoint: str
    folder: Path


class Workspace:
    """A run's own folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.work = folder / "work"
        self.output = folder / "output"
        self.errors = folder / "errors"
        self.failure = folder / "failure"
        self.home.mkdir()
        self.work.mkdir()
        self.output.touch()
        self.errors.touch()


@dataclass(frozen=True)
class Launch:
    """A command that is ready to run, its workspace, and clients of the role it runs as."""

    command: list[str]
    environment: Mapping[str, str]
    workspace: Workspace
    aws: ServiceLevelClientFactory


def launch(run: JobRun, place: Place, folder: Path) -> Launch:
    """Get the role, the runtime, and what the job brings from S3."""
    credentials = role.assume(run.definition["Role"], place.account, place.region)
    aws = role.clients(credentials, place.region, place.endpoint)
    workspace = Workspace(folder)
    workspace.errors.write_text("".join(f"localstack-lakehouse: {note}\n" for note in _notes(run)))
    job = _Job(run, made(_generation(run)), Downloads(aws.s3, folder), workspace)
    environment = job.environment() | role.environment(credentials, place.region, place.endpoint)
    return Launch(job.command(place), environment, workspace, aws)


class _Job:
    """A run's command and environment."""

    def __init__(self, run: JobRun, runtime: Runtime, downloads: Downloads, workspace: Workspace) -> None:
        self._run = run
        self._runtime = runtime
        self._downloads = downloads
        self._workspace = workspace
        self._iceberg = arguments.has_iceberg(run.arguments)

    def environment(self) -> dict[str, str]:
        """Where Spark, Java and Python find what is the job's."""
        path = {"PYTHONPATH": pathsep.join(map(str, self._python_path()))}
        return spark.environment(self._runtime, self._workspace.home, iceberg=self._iceberg) | path

    def command(self, place: Place) -> list[str]:
        """The driver, under Spark unless the job is a Python shell."""
        self._files("--extra-files", self._workspace.work.name)
        driver = [str(self._workspace.errors), str(self._workspace.failure), self._script(), *self._words()]
        if self._run.definition["Command"]["Name"] == "pythonshell":
            return [str(self._runtime.python), str(spark.DRIVER), *driver]
        return spark.submit(self._runtime.spark, self._settings(place), spark.DRIVER, driver)

    def _settings(self, place: Place) -> dict[str, str]:
        cores = spark.cores(self._run.shape.get("NumberOfWorkers") or self._run.shape["MaxCapacity"])
        conf = arguments.conf(self._run.arguments)
        java = [conf.get("spark.driver.extraJavaOptions", "")]
        if self._iceberg and self._runtime.class_archive.exists():
            java.append(f"-XX:SharedArchiveFile={self._runtime.class_archive}")
        return {
            **spark.settings(place.endpoint, place.region, cores),
            "spark.app.name": self._run.definition["Name"],
            "spark.jars": ",".join(map(str, self._files("--extra-jars", "jars"))),
            **conf,
            **spark.fixed_settings(self._workspace.home, cores, java),
        }

    def _script(self) -> str:
        location = self._run.arguments.get("--scriptLocation") or self._run.definition["Command"]["ScriptLocation"]
        return str(self._downloads.one(location, "script"))

    def _words(self) -> list[str]:
        """What the script finds in `sys.argv` behind its name."""
        name = self._run.definition["Name"]
        job_id = f"j_{hashlib.sha256(name.encode()).hexdigest()}"
        own = ["--JOB_NAME", name, "--JOB_ID", job_id, "--JOB_RUN_ID", self._run.id]
        return [*arguments.of_script(self._run.arguments), *own]

    def _python_path(self) -> Iterator[Path]:
        """The job's modules and files, then Glue's library."""
        if modules := arguments.listed(self._run.arguments, "--additional-python-modules"):
            installed = self._workspace.folder / "installed"
            options = self._run.arguments.get("--python-modules-installer-option", "")
            install(modules, options, self._downloads, self._runtime, installed)
            yield installed
        for file in self._files("--extra-py-files", "libraries"):
            yield file.parent if file.suffix == ".py" else file
        yield spark.INSIDE

    def _files(self, argument: str, kind: str) -> list[Path]:
        return self._downloads.all(arguments.listed(self._run.arguments, argument), kind)


def _generation(run: JobRun) -> Generation:
    """That of its GlueVersion; a Python shell has versions of its own."""
    return GENERATIONS.get(run.definition["GlueVersion"], GENERATIONS["5.1"])


def _notes(run: JobRun) -> Iterator[str]:
    """What is not as on Glue, said where a job's user looks."""
    version, generation = run.definition["GlueVersion"], _generation(run)
    if not generation.name.endswith(version):
        yield f"GlueVersion {version} runs on {generation.says}."
    for name in arguments.without_effect(run.arguments):
        yield f"{name} has no effect here."
