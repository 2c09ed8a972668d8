"""The output of the commands for people, on standard output."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from stedi_common.cli.console import out
from stedi_common.errors import StediError
from stedi_common.incremental.diff import pluralized
from stedi_common.incremental.plan import Action
from stedi_common.rules.lineage import JOBS
from stedi_common.text import escaped

# What is only shown need not be imported.
if TYPE_CHECKING:
    from stedi_common.checks import Checked, Finding, Repaired, Step
    from stedi_common.engines.embedded.recovery import Recovered
    from stedi_common.generate import Truth
    from stedi_common.lake.properties import LakeProperties
    from stedi_common.landing import Landed
    from stedi_common.landing.unread import UnreadFiles
    from stedi_common.maintenance import Maintained
    from stedi_common.runs.executor import Outcome
    from stedi_common.runs.preview import Preview
    from stedi_common.runs.withdrawals import Deleted
    from stedi_common.status import TableStatus
    from stedi_common.subjects import DropLines, Report, Subject

BAR_WIDTH = 32
#: At most so many skipped files of a reason are named; --json and landed_files have all.
MAX_NAMED_FILES = 5
#: At most so many ranges of lines of a drop are printed; --json has all lines.
MAX_NAMED_RANGES = 5

#: The counts of a landing that are printed.
_COUNTS = ("files", "lines", "landed", "rejected", "duplicate", "blank", "doubtful", "nulled_values")
#: Columns of text, which may take several lines.
_WRAPPED = ("behind", "notes")


def landed(results: Sequence[Landed]) -> None:
    """What became of the new files, per source, and which files were skipped."""
    table = _table("", *(r.source for r in results))
    for count in _COUNTS:
        table.add_row(count.replace("_", " "), *(f"{getattr(r, count):,}" for r in results))
    _print(table)
    if not any(r.files for r in results):
        out.print("No new files.")
    if lines := sum(r.doubtful for r in results):
        subject = "1 customer line is" if lines == 1 else f"{lines:,} customer lines are"
        until = "whoever is named there has no consent until a later record gives it"
        out.print(f"[yellow]{subject} doubtful[/]: {until}.")
    skipped([each for r in results for each in r.skipped])
    for result in results:
        for warning in result.warnings:
            out.print(f"[yellow]warning:[/] {escape(warning)}", soft_wrap=True)
    out.print()


def skipped(files: Sequence[Mapping[str, str]]) -> None:
    """The files that were skipped, by reason; the first of each reason by name."""
    by_reason: dict[str, list[str]] = {}
    for each in files:
        by_reason.setdefault(each["reason"], []).append(each["file"])
    for reason, names in sorted(by_reason.items()):
        more = f" and {len(names) - MAX_NAMED_FILES:,} more" if len(names) > MAX_NAMED_FILES else ""
        named = escape(", ".join(names[:MAX_NAMED_FILES]))
        out.print(f"[yellow]skipped[/] ({reason.replace('_', ' ')}): {named}{more}", soft_wrap=True)


def run_results(deletions: Sequence[Deleted], outcomes: Sequence[Outcome]) -> None:
    """How many withdrawn rows were deleted, and the funnel of each job."""
    for each in deletions:
        withdrawn = {table: n for table, n in each.deleted.items() if table not in each.emptied}
        if withdrawn:
            out.print(f"[bold]withdrawn rows[/] deleted before all else: {_rows_of(withdrawn)}\n", soft_wrap=True)
        if each.emptied:
            why = "rows that cannot be classified may be those of people who have withdrawn"
            emptied = _rows_of({table: each.deleted[table] for table in each.emptied})
            out.print(f"[yellow]emptied[/], because {why}: {emptied}\n", soft_wrap=True)
    funnel(outcomes)


def _rows_of(tables: Mapping[str, int]) -> str:
    return ", ".join(f"{pluralized(n, 'row')} of {table}" for table, n in tables.items())


def unread(found: Sequence[UnreadFiles]) -> None:
    """The first unread files, or those that were dismissed: name, reason, and since when."""
    for unread_files in found:
        files = unread_files.files
        state = "dismissed, unread" if unread_files.is_dismissed else "unread"
        for each in files[:MAX_NAMED_FILES]:
            since = f"since {each.since:%Y-%m-%d %H:%M} UTC"
            out.print(
                f"[yellow]{state}[/] {since} ({each.reason.replace('_', ' ')}): {escape(each.file)}", soft_wrap=True
            )
        if len(files) > MAX_NAMED_FILES:
            out.print(f"[yellow]{state}[/]: {len(files) - MAX_NAMED_FILES:,} more")


def previews(previews: Sequence[Preview]) -> None:
    """What a run is going to do with each table, and why."""
    # After a deletion, days from which nothing else has to go need not be recomputed.
    deletes = any(each.action == Action.DELETE for each in previews)
    for each in previews:
        out.print(f"[bold]{each.table}[/]: {_planned(each, is_bound=deletes)}", soft_wrap=True)
        for reason in each.reasons:
            out.print(f"  {escape(reason)}", soft_wrap=True)
    if previews:
        out.print(f"engine: {escape(previews[0].engine)}", soft_wrap=True)


def _planned(each: Preview, *, is_bound: bool) -> str:
    words = [each.action]
    if each.action == Action.PARTITIONS:
        words.append(f"{'at most ' if is_bound else ''}{pluralized(len(each.days or ()), 'day')}")
    if each.days == []:
        words = [f"{each.action}, none" if each.action == Action.PARTITIONS else each.action]
    if each.rows_in and each.action != Action.NOTHING:
        words.append(f"{pluralized(each.rows_in, 'row')} read")
    return ", ".join(words)


def funnel(outcomes: Sequence[Outcome]) -> None:
    """The consent funnel: per table the rows of its source, what was dropped and why, and what is left."""
    for outcome in outcomes:
        source = JOBS[outcome.job].sources[0]
        out.print(f"[bold]{source.name} → {outcome.table}[/]{_extent(outcome)}")
        left = outcome.rows_in
        rows = Table.grid(padding=(0, 2))
        rows.add_column(min_width=30)
        rows.add_column(justify="right", min_width=11)
        rows.add_column()
        rows.add_row("  rows in", f"{left:,}", _bar(0, left, outcome.rows_in, "blue"))
        for reason, n in sorted(outcome.dropped.items(), key=lambda item: -item[1]):
            left -= n
            rows.add_row(f"  − {reason.replace('_', ' ')}", f"{n:,}", _bar(left, n, outcome.rows_in, "red"))
        rows.add_row("  [bold]kept[/]", f"[bold]{outcome.rows_kept:,}[/]", _bar(0, left, outcome.rows_in, "green"))
        out.print(rows)
        if outcome.rows_kept != left:
            out.print(f"  [dim]{left:,} readings make {outcome.rows_kept:,} pairs[/]")
        out.print()


def _extent(outcome: Outcome) -> str:
    """Which rows of the table the counts are about."""
    if not outcome.changed:
        return " [dim](nothing new, left as it was)[/]"
    if outcome.days is None:
        return ""
    return f" [dim](of {outcome.days:,} changed days; {outcome.rows:,} rows in all)[/]"


def status(tables: Sequence[TableStatus], lake: Path | str) -> None:
    """A line per table, and how many people have no consent because of a doubtful line."""
    table = _table("table", "rows", "last commit, UTC", "policy", "behind")
    for t in tables:
        policy = " ".join(word.partition("=")[2] for word in (t.policy or "").split())
        behind = Text(", ".join(f"{source} ({_commits(n)})" for source, n in t.behind.items()), style="yellow")
        table.add_row(t.table, f"{t.rows:,}", f"{t.committed_at:%Y-%m-%d %H:%M}", policy, behind)
    out.print(f"Lake {escape(str(lake))}")
    _print(table)
    if doubted := sum(t.in_doubt or 0 for t in tables):
        people = "1 person has" if doubted == 1 else f"{doubted:,} people have"
        out.print(
            f"[yellow]{people} no consent because of a doubtful line[/] (column doubt of landing.customer_landing)."
        )
    if unknown := sum(t.without_address or 0 for t in tables):
        lines = "1 customer line has" if unknown == 1 else f"{unknown:,} customer lines have"
        out.print(f"[yellow]{lines} no known address[/] (column without_address of landing.landed_files).")


def policy(properties: LakeProperties) -> None:
    """The policies that the lake has had, the current one last."""
    table = _table("since", "policy", "environment", "pseudonym key")
    for change in properties.changes:
        table.add_row(change.at, change.policy, change.environment, f"{change.key[:8]}…")
    _print(table)
    out.print(f"Lake {properties.id}, {escape(properties.location)}", soft_wrap=True)


def subject(found: Report, export: Path | None) -> None:
    """Who a report is about, and what is held on them."""
    _who(found.subject)
    table = _table("table", "rows", "older snapshots")
    for each in found.tables:
        if each.rows or each.older_snapshots:
            table.add_row(each.table, f"{each.rows:,}", f"{each.older_snapshots:,}")
    if table.row_count:
        _print(table)
        out.print()
    unknown = [each.table for each in found.tables if each.column is None]
    if unknown:
        out.print(f"[yellow]not examined[/], no column says whose row it is: {', '.join(unknown)}", soft_wrap=True)
    _drops(found)
    if found.is_empty:
        out.print("Nothing was found on this person.")
    if export:
        out.print(f"Written to {escape(str(export))}.", soft_wrap=True)


def withdrawn(drop: str) -> None:
    """That a person is out of the tables of research, and where the refusal is."""
    out.print("[bold]withdrawn[/]: no trusted or curated table has a row of the person.", soft_wrap=True)
    out.print(
        f"The refusal is the drop {escape(drop)}. Keep it: whoever lands all drops anew needs it.", soft_wrap=True
    )
    out.print("Older snapshots have their rows until they expire (7 days): stedi maintain", soft_wrap=True)


def _who(person: Subject) -> None:
    out.print(f"[bold]address[/]: {escape(escaped(person.address or 'not known'))}", soft_wrap=True)
    out.print(f"[bold]pseudonym[/]: {person.pseudonym}", soft_wrap=True)
    if person.devices:
        out.print(f"[bold]devices[/]: {escape(escaped(', '.join(person.devices)))}", soft_wrap=True)
    if person.shared_devices:
        shared = escape(escaped(", ".join(person.shared_devices)))
        out.print(f"[bold]shared devices[/], whose readings may be anybody's: {shared}", soft_wrap=True)
    out.print()


def _drops(found: Report) -> None:
    """The lines of the drops, and the drops that could not be examined whole."""
    from stedi_common.records import shown

    if found.drops is None:
        out.print("[yellow]not examined[/]: drops. --landing names their folder.")
        return
    for each in found.drops:
        if each.lines or each.is_named:
            named = " (its name has the address)" if each.is_named else ""
            out.print(f"{escape(shown(each.file))}{named}: {_numbers(each)}", soft_wrap=True)
    if found.rejected:
        out.print(f"{pluralized(found.rejected, 'row')} of landing.rejected_records for these lines")
    unexamined = [each for each in found.drops if each.unexamined]
    for each in unexamined[:MAX_NAMED_FILES]:
        reasons = ", ".join(each.unexamined).replace("_", " ")
        out.print(f"[yellow]not examined[/] ({reasons}): {escape(shown(each.file))}", soft_wrap=True)
    if len(unexamined) > MAX_NAMED_FILES:
        out.print(f"[yellow]not examined[/]: {len(unexamined) - MAX_NAMED_FILES:,} more")


def _numbers(drop: DropLines) -> str:
    """The numbers of the lines, consecutive ones as a range."""
    ranges: list[list[int]] = []
    for each in drop.lines:
        if ranges and each.number == ranges[-1][1] + 1:
            ranges[-1][1] = each.number
        else:
            ranges.append([each.number, each.number])
    named = ranges[:MAX_NAMED_RANGES]
    words = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in named)
    left = len(drop.lines) - sum(last - first + 1 for first, last in named)
    more = f" and {left:,} more" if left else ""
    return f"{'line' if len(drop.lines) == 1 else 'lines'} {words}{more}" if ranges else "no line"


def relocated(files: int) -> None:
    """What became of the metadata of a lake that was moved or copied."""
    out.print(
        f"{pluralized(files, 'metadata file')} rewritten." if files else "The lake was not moved. Nothing was changed."
    )


def recovered(done: Recovered, findings: Sequence[Finding]) -> None:
    """A line per table with its snapshot, rows, metadata and previous metadata; then the findings."""
    table = _table("table", "snapshot", "rows", "metadata", "previous metadata")
    for t in done.tables:
        previous = "" if t.previous_metadata == t.metadata else t.previous_metadata or "not known"
        table.add_row(t.table, str(t.snapshot or ""), f"{t.rows:,}", t.metadata, Text(previous, style="yellow"))
    _print(table)
    if not done.changed:
        out.print("The catalog names the newest metadata of every table. Nothing was changed.")
    elif done.previous_catalog:
        out.print(f"The previous catalog is {escape(done.previous_catalog)}, beside catalog.db.", soft_wrap=True)
    _findings(findings)


def checked(found: Checked) -> None:
    """What was checked of each table, and what is wrong."""
    table = _table("table", "snapshots", "files", "bytes", "findings")
    for each in found.tables:
        findings = sum(finding.table == each.table for finding in found.findings)
        table.add_row(each.table, *(f"{n:,}" for n in (each.snapshots, each.files, each.bytes, findings)))
    _print(table)
    if not found.findings:
        out.print("The lake is whole.")
    _findings(found.findings)


def repaired(result: Repaired) -> None:
    """What a repair did, and what is still wrong."""
    for step in result.steps:
        out.print(f"[bold]{step.table}[/]: {escape(_repair_in_words(step))}", soft_wrap=True)
    for each in result.completed:
        if each.result:
            out.print(f"{each.task.job}: {each.task.table}", soft_wrap=True)
    if not (result.steps or result.completed):
        out.print("Nothing to repair.")
    _findings(result.checked.findings)


def _repair_in_words(step: Step) -> str:
    from stedi_common.checks import Remedy

    if step.remedy == Remedy.LAND_AGAIN:
        return f"{step.file} lands again"
    if step.remedy == Remedy.EXPIRE_SNAPSHOTS:
        return f"expired {pluralized(step.snapshots, 'older snapshot')}; no current row is lost"
    return "removed, to recompute it"


def _findings(findings: Sequence[Finding]) -> None:
    for each in findings:
        out.print(f"[yellow]{each.table}[/]: {escape(each.file)}", soft_wrap=True)
        out.print(f"  {escape(each.problem)}", soft_wrap=True)
        out.print(f"  {each.remedy.hint}", soft_wrap=True)


def maintained(results: Sequence[Maintained], staged: int) -> None:
    """A line per table: its files and bytes, what has expired and was removed, and what was skipped."""
    table = _table("table", "files", "bytes", "snapshots expired", "refs expired", "files removed", "notes")
    for r in results:
        notes = [f"{step} skipped: commit conflict" for step in r.skipped]
        notes += [f"{ref} keeps an old snapshot" for ref in r.pinned]
        if recent := r.recent_unknown_files:
            notes.append(f"{pluralized(recent, 'unknown file')} newer than the last commit left")
        notes += [f"{r.unknown_bytes:,} bytes of unknown files left"] if r.unknown_bytes else []
        change = (_change(*r.files), _change(*r.bytes))
        removed = (f"{n:,}" for n in (r.snapshots, r.refs, r.removed))
        table.add_row(r.table, *change, *removed, Text(", ".join(notes), style="yellow"))
    _print(table)
    if staged:
        out.print(f"Removed {staged:,} staged files of runs that were killed.")


def _change(before: int, after: int) -> str:
    return f"{after:,}" if before == after else f"{before:,} → {after:,}"


def _commits(lag: int | None) -> str:
    if lag is None:
        return "all of it"
    return "1 commit" if lag == 1 else f"{lag:,} commits"


def generated(truth: Truth, into: Path) -> None:
    """Where the drops and the truth about them were written."""
    out.print(f"Wrote drops to {escape(str(into))}, and the truth about them to {escape(str(into / 'truth'))}.")


def truth(differences: list[str] | None) -> None:
    """Whether the tables have the rows that the generator expects. Raises StediError if they have not."""
    if differences:
        raise StediError(
            "demo: the tables differ from the truth beside the drops: " + "; ".join(differences),
            hint="if other drops have landed in this lake, remove its folder to start over",
        )
    if differences is not None:
        out.print("[green]✓[/] every count equals the truth that was generated with the drops")
        out.print()


def next_steps(lake: Path | str, outcomes: Sequence[Outcome]) -> None:
    """Where the tables are, and commands to try."""
    pairs = next(o.rows for o in outcomes if o.table == "machine_learning_curated")
    out.print(f"[bold]{pairs:,} training pairs[/] of people who had consented, in the lake {escape(str(lake))}/:")
    out.print(f"  catalog    {escape(str(lake))}/catalog.db  (SQLite, named stedi; any PyIceberg opens it)")
    out.print(f"  tables     {escape(str(lake))}/{{landing,trusted,curated}}/<table>/")
    out.print()
    out.print("[bold]Try next[/]")
    option = "" if str(lake) == "lake" else f" --lake {escape(str(lake))}"
    out.print(f"  .venv/bin/stedi status{option}")
    out.print(
        f'  .venv/bin/stedi query{option} "SELECT pseudonym, count(*) AS pairs'
        ' FROM curated.machine_learning_curated GROUP BY ALL ORDER BY pairs DESC LIMIT 5"',
        soft_wrap=True,
    )
    out.print(
        f'  .venv/bin/stedi query{option} "SELECT source, reason, rejected_column, count(*) AS lines'
        ' FROM landing.rejected_records GROUP BY ALL ORDER BY lines DESC"',
        soft_wrap=True,
    )


def _table(first: str, *others: str) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 1))
    table.add_column(first, no_wrap=True)
    for name in others:
        table.add_column(
            name,
            justify="left" if name in {"policy", *_WRAPPED} else "right",
            no_wrap=name not in _WRAPPED,
        )
    return table


def _print(table: Table) -> None:
    """Print the table; if the screen is too narrow for its numbers, one line for each number."""
    columns = [(str(column.header), list(map(str, column.cells))) for column in table.columns]
    widths = [max(map(cell_len, (name, *cells))) for name, cells in columns if name not in _WRAPPED]
    if sum(widths) + 2 * len(columns) <= out.width:
        out.print(table)
        return
    (_, rows), *others = columns
    for number, row in enumerate(rows):
        out.print(f"[bold]{escape(row)}[/]", soft_wrap=True)
        for name, cells in others:
            if cells[number]:
                out.print(f"  {name}: {escape(cells[number])}", soft_wrap=True)


def _bar(start: int, length: int, whole: int, colour: str) -> Text:
    """A bar of `length` that starts at `start`, on a scale where `whole` is the full width."""
    if whole <= 0 or length <= 0:
        return Text()
    begin = round(start * BAR_WIDTH / whole)
    end = max(round((start + length) * BAR_WIDTH / whole), begin + 1)
    return Text(" " * begin).append("█" * (end - begin), style=colour)
