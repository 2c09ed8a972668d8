"""The frame of a job."""

from collections.abc import Mapping

from .context import GlueContext
from .unsupported import unsupported


class Job:
    """Begins and commits, as far as that means anything without bookmarks."""

    def __init__(self, glue_context: GlueContext) -> None:
        self.glue_context = glue_context

    def init(self, job_name: str, args: Mapping[str, str | None] | None = None) -> None:
        """Begin. Bookmarks are refused: a job that believes in them would read everything again."""
        option = (args or {}).get("job_bookmark_option") or "job-bookmark-disable"
        if option != "job-bookmark-disable":
            unsupported(f"--job-bookmark-option {option}")

    def commit(self) -> None:
        """Nothing is left to do."""
