"""The generations of Glue, and what runs their jobs here."""

from dataclasses import dataclass
from pathlib import Path

from .exceptions import InvalidInputException


@dataclass(frozen=True)
class Generation:
    """A generation of Glue. What it consists of stands in `runtimes/`, in two files of its name."""

    name: str
    python: str
    says: str


_GLUE_5_1 = Generation("glue-5.1", "3.11", "Spark 3.5.6, Iceberg 1.10.0")
_GLUE_6_0 = Generation("glue-6.0", "3.13", "Spark 4.1.1, Iceberg 1.11.0")

GENERATIONS = {
    # Glue's own 5.0 is Spark 3.5.4 with Iceberg 1.7.1.
    "5.0": _GLUE_5_1,
    "5.1": _GLUE_5_1,
    "6.0": _GLUE_6_0,
}
"""What runs the jobs of a GlueVersion."""


def generation(version: str) -> Generation:
    """What runs the jobs of this GlueVersion."""
    try:
        return GENERATIONS[version]
    except KeyError:
        raise InvalidInputException(f"GlueVersion: expected {', '.join(GENERATIONS)}, got {version}") from None


@dataclass(frozen=True)
class Runtime:
    """What runs a generation's jobs: a Python environment with Spark, and the jars that Glue adds to it."""

    folder: Path

    @property
    def python(self) -> Path:
        """Its Python."""
        return self.folder / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        """Where its Python packages are."""
        return next(self.folder.glob("lib/python*/site-packages"))

    @property
    def spark(self) -> Path:
        """Spark's home."""
        return self.site_packages / "pyspark"

    @property
    def class_archive(self) -> Path:
        """The classes of Spark with Iceberg, as Java loads them quickest."""
        return self.folder / "classes.jsa"

    def jars(self, *, iceberg: bool) -> list[Path]:
        """The jars, with Iceberg's own or without."""
        jars = sorted((self.folder / "jars").iterdir())
        return [jar for jar in jars if iceberg or not jar.name.startswith("iceberg-spark-runtime")]
