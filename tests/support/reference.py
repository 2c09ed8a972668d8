"""The reference data, which stays outside the repository: where it is, and the counts every engine must reproduce."""

from pathlib import Path

import pytest
from support.paths import SHARED

from stedi_common.rules.policy import Policy

LANDING = SHARED / "reference"

#: Rows by table and policy, as README.md of the data set has them.
COUNTS = {
    Policy("as-of", "owner"): (482, 32025, 464, 11297, 32025),
    Policy("as-of", "timestamp"): (482, 32025, 464, 11297, 34253),
    Policy("ever", "owner"): (482, 40981, 482, 14460, 40981),
    Policy("ever", "timestamp"): (482, 40981, 482, 14460, 43681),
}
#: Records by source: none is rejected, none is there twice.
LANDED = {"customer": 956, "accelerometer": 81273, "step_trainer": 28680}
TABLES = (
    "customer_trusted",
    "accelerometer_trusted",
    "customers_curated",
    "step_trainer_trusted",
    "machine_learning_curated",
)


def landing() -> Path:
    """The folder of the reference data. Skips the test where it is absent."""
    if not LANDING.is_dir():
        pytest.skip("the reference data is not beside the repository (../shared/reference)")
    return LANDING


def drops() -> dict[str, bytes]:
    """The reference data as one landing: drop name to bytes."""
    landing()
    return {path.relative_to(LANDING).as_posix(): path.read_bytes() for path in sorted(LANDING.glob("*/**/*.json"))}
