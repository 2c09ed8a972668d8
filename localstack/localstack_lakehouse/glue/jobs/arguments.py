"""What Glue makes of a job's arguments: some are its own, the others are the script's."""

import re
from collections.abc import Mapping

from .exceptions import InvalidInputException

Arguments = Mapping[str, str]

OWN = frozenset(
    {
        "--additional-python-modules",
        "--auto-scale-within-microbatch",
        "--class",
        "--conf",
        "--continuous-log-conversionPattern",
        "--continuous-log-logGroup",
        "--continuous-log-logStreamPrefix",
        "--custom-logGroup-prefix",
        "--custom-logStream-prefix",
        "--customer-driver-env-vars",
        "--customer-executor-env-vars",
        "--datalake-formats",
        "--debug",
        "--disable-proxy-v2",
        "--enable-auto-scaling",
        "--enable-continuous-cloudwatch-log",
        "--enable-continuous-log-filter",
        "--enable-glue-datacatalog",
        "--enable-job-insights",
        "--enable-lakeformation-fine-grained-access",
        "--enable-metrics",
        "--enable-observability-metrics",
        "--enable-rename-algorithm-v2",
        "--enable-s3-parquet-optimized-committer",
        "--enable-spark-ui",
        "--executor-cores",
        "--extra-files",
        "--extra-jars",
        "--extra-py-files",
        "--job-language",
        "--library-set",
        "--mode",
        "--python-modules-installer-option",
        "--scriptLocation",
        "--spark-event-logs-path",
        "--use-postgres-driver",
        "--user-jars-first",
        "--write-shuffle-files-to-s3",
        "--write-shuffle-spills-to-s3",
    }
)
"""Those that Glue keeps to itself; of its own a script sees the others, as `--TempDir`."""

NOT_HERE = (
    "--customer-driver-env-vars",
    "--customer-executor-env-vars",
    "--enable-glue-datacatalog",
    "--enable-lakeformation-fine-grained-access",
    "--user-jars-first",
    "--write-shuffle-files-to-s3",
)
"""Those that a job may rely on, and that have no effect here."""


def overlaid(defaults: Arguments, fixed: Arguments, given: Arguments) -> dict[str, str]:
    """A run's arguments: the job's, overlaid by those given to the run, which may not touch the fixed ones."""
    if refused := sorted(fixed.keys() & given.keys()):
        raise InvalidInputException(f"Non-overridable arguments cannot be overridden: {', '.join(refused)}")
    return {**defaults, **given, **fixed}


def listed(arguments: Arguments, name: str) -> list[str]:
    """The values of an argument that takes several, separated by commas."""
    return [value.strip() for value in arguments.get(name, "").split(",") if value.strip()]


def conf(arguments: Arguments) -> dict[str, str]:
    """Spark's settings. `--conf` can be given once, so scripts chain them: `a=1 --conf b=2`."""
    settings = re.split(r"(?:^|\s+)--conf\s+", arguments.get("--conf", ""))
    return dict(_setting(setting.strip()) for setting in settings if setting.strip())


def has_iceberg(arguments: Arguments) -> bool:
    """Whether the job wants Iceberg."""
    return "iceberg" in listed(arguments, "--datalake-formats")


def without_effect(arguments: Arguments) -> list[str]:
    """What the job asks for and does not get."""
    return [name for name in NOT_HERE if arguments.get(name, "false") != "false"]


def check(arguments: Arguments) -> None:
    """Refuse what would not run as it says."""
    if unknown := set(listed(arguments, "--datalake-formats")) - {"iceberg"}:
        raise InvalidInputException(f"--datalake-formats: only iceberg runs here, got {', '.join(sorted(unknown))}")
    if (language := arguments.get("--job-language", "python")) != "python":
        raise InvalidInputException(f"--job-language: only python runs here, got {language}")
    conf(arguments)


def of_script(arguments: Arguments) -> list[str]:
    """What the script finds in `sys.argv`."""
    return [word for name, value in arguments.items() if name not in OWN for word in (name, value)]


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise InvalidInputException(f"--conf: expected name=value, got {text}")
    return name, value
