"""What the documents show is what the commands print."""

import subprocess
import sys

from modules import TERRAFORM

DOCS = TERRAFORM.parent / "docs"


def test_the_tables_of_costs_are_those_that_are_printed() -> None:
    printed = subprocess.run([sys.executable, DOCS / "cost.py"], capture_output=True, text=True, check=True).stdout
    shown = (DOCS / "deploy.md").read_text(encoding="utf-8").split("<!-- python docs/cost.py -->\n")[1]
    assert shown.split("<!-- end -->")[0] == printed, "docs/deploy.md: expected what `python docs/cost.py` prints"
