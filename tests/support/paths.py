"""Where the project, its tests and the data beside it are: a test that moves to another folder still finds them."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = ROOT / "tests"
#: Data that stay outside the repository; their tests are skipped where it is absent.
SHARED = ROOT / ".." / "shared"
