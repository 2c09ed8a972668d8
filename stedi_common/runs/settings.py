"""What a run needs to know besides its lake: policy, key, and what it may not do."""

from __future__ import annotations

from dataclasses import dataclass, field

from stedi_common.errors import StediError
from stedi_common.privacy.pseudonym import PseudonymKey
from stedi_common.rules.policy import Policy
from stedi_common.settings import ReaderSettings


@dataclass(frozen=True)
class RunSettings:
    """The settings of a run.

    Attributes:
        policy: which readings count.
        key: the pseudonym key.
        reader: the settings of the reader of files.
        rebuild: whether tables of another build may be rebuilt in full.
        refusal: why no job may run: the settings are not the lake's. Withdrawn rows are deleted all the same.
        landing_refusal: why nothing may land.
    """

    policy: Policy
    key: PseudonymKey
    reader: ReaderSettings = field(default_factory=ReaderSettings)
    rebuild: bool = False
    refusal: StediError | None = None
    landing_refusal: StediError | None = None

    def expect_jobs_allowed(self) -> None:
        """Raise the refusal of the jobs, if there is one."""
        if self.refusal:
            raise self.refusal

    def expect_landing_allowed(self) -> None:
        """Raise the refusal of landing, if there is one."""
        if self.landing_refusal:
            raise self.landing_refusal
