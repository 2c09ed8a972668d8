"""`stedi check` and `stedi repair`: whether a lake is whole, and what can be repaired if it is not."""

from stedi_common.checks.check import Checked, Finding, Remedy, check, opened
from stedi_common.checks.repair import Repaired, Step, repair

__all__ = ["Checked", "Finding", "Remedy", "Repaired", "Step", "check", "opened", "repair"]
