"""Our engines beside the field's usual jobs: `python benchmarks/compare.py --landing DIR --copies 100`.

Every contender is whole processes, from the same JSON to its five tables. Needs the extras embedded, cli and spark.
"""

import argparse
import json
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from threading import Event, Thread

import pyarrow.parquet as pq
from scale import add_options, scale

HERE = Path(__file__).parent
TABLES = (
    "customer_trusted",
    "accelerometer_trusted",
    "customers_curated",
    "step_trainer_trusted",
    "machine_learning_curated",
)
#: Without it (macOS) the peak is that of the largest single process.
PROC = Path("/proc/self/stat").exists()
#: What the peers and the floor compute. Under another policy our row counts are meant to differ.
BASELINE = ("ever", "timestamp")


def commands(contender: str, landing: Path, lake: Path, consent: str, pairing: str) -> list[list[str | Path]]:
    """What a contender runs, one after the other. The one place that knows the command lines."""
    if contender in ("embedded", "spark"):
        stedi = Path(sys.executable).with_name("stedi")
        policy = ["--consent", consent, "--pairing", pairing]
        return [[stedi, "demo", "--landing", landing, "--lake", lake, "--engine", contender, *policy]]
    return {
        "peer": [[sys.executable, HERE / "peers" / "run.py", landing, lake]],
        "peer-plain": [[sys.executable, HERE / "peers" / "run.py", landing, lake, "--plain"]],
        "floor": [[sys.executable, HERE / "floor.py", landing, lake]],
    }[contender]


@dataclass
class Result:
    contender: str
    seconds: list[float]
    peak_mb: float
    rows: dict[str, int]


def measure(command: list[str | Path], log: Path) -> tuple[float, float]:
    """Wall seconds and peak memory (MB) of the command with all its children. Raises if it fails."""
    samples, ended = [0.0], Event()

    def watch() -> None:
        while not ended.wait(0.1):
            samples.append(session_mb(process.pid))

    with log.open("ab") as output:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=output, stderr=output, start_new_session=True)
        watcher = Thread(target=watch)
        watcher.start()
        try:
            _, status, usage = os.wait4(process.pid, 0)
        except KeyboardInterrupt:
            os.killpg(process.pid, signal.SIGTERM)
            raise
        finally:
            ended.set()
        seconds = time.perf_counter() - start
    watcher.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise ChildProcessError(f"{shlex.join(map(str, command))} ended with {process.returncode}")
    return seconds, max(samples) if PROC else usage.ru_maxrss / 2**20


def session_mb(leader: int) -> float:
    """Resident memory of all processes in the leader's session: its children stay in it, a JVM too."""
    pages = 0
    for stat in Path("/proc").glob("[0-9]*/stat") if PROC else ():
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except (OSError, ValueError):  # it ended meanwhile
            continue
        if int(fields[3]) == leader:
            pages += int(fields[21])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def rows(lake: Path) -> dict[str, int]:
    return {table: iceberg_rows(lake, table) or parquet_rows(lake, table) for table in TABLES}


def iceberg_rows(lake: Path, table: str) -> int:
    """From the newest metadata of the table, wherever in the lake its engine put it."""
    versions = sorted(lake.rglob(f"{table}/metadata/*.metadata.json"), key=lambda path: path.name)
    if not versions:
        return 0
    metadata = json.loads(versions[-1].read_text())
    current = [s for s in metadata.get("snapshots", ()) if s["snapshot-id"] == metadata["current-snapshot-id"]]
    return sum(int(snapshot["summary"]["total-records"]) for snapshot in current)


def parquet_rows(lake: Path, table: str) -> int:
    return sum(pq.read_metadata(path).num_rows for path in lake.glob(f"*/{table}/*.parquet"))


def run(contender: str, landing: Path, work: Path, args: argparse.Namespace) -> Result:
    """One run into a fresh lake, which is gone afterwards."""
    lake, log = work / f"lake-{contender}", work / f"{contender}.log"
    shutil.rmtree(lake, ignore_errors=True)
    lake.mkdir()
    steps = [measure(c, log) for c in commands(contender, landing, lake, args.consent, args.pairing)]
    result = Result(contender, [sum(s for s, _ in steps)], max(mb for _, mb in steps), rows(lake))
    shutil.rmtree(lake)
    return result


def collect(landing: Path, work: Path, args: argparse.Namespace) -> tuple[list[Result], set[str]]:
    """The results, all runs of a contender in one, and who failed."""
    results: dict[str, Result] = {}
    failed = set()
    for _ in range(args.runs):
        for contender in args.contenders.split(","):
            try:
                result = run(contender, landing, work, args)
            except OSError as error:
                print(f"{contender}: {error}", flush=True)
                failed.add(contender)
                continue
            print(f"{contender}: {result.seconds[0]:.1f} s, {result.peak_mb:.0f} MB", flush=True)
            if known := results.get(contender):
                result.seconds = known.seconds + result.seconds
                result.peak_mb = max(known.peak_mb, result.peak_mb)
            results[contender] = result
    return list(results.values()), failed


def table(results: list[Result]) -> Iterator[str]:
    """Lines of Markdown: the medians, how many times the peer's time that is, and the rows."""
    peer = next((median(r.seconds) for r in results if r.contender == "peer"), None)
    yield "| contender | seconds | peak MB | peer / contender | " + " | ".join(TABLES) + " |"
    yield "|---" * (4 + len(TABLES)) + "|"
    for r in results:
        ratio = f"{peer / median(r.seconds):.1f}" if peer else "-"
        counts = " | ".join(str(r.rows[name]) for name in TABLES)
        yield f"| {r.contender} | {median(r.seconds):.1f} | {r.peak_mb:.0f} | {ratio} | {counts} |"


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("--landing", type=Path, default=Path("drops"), help="what to copy (%(default)s)")
    add_options(parser, apart=1)
    parser.add_argument("--work", type=Path, help="keep the copies and the logs here; else a temporary folder")
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--contenders", default="embedded,spark,peer,floor", help="also: peer-plain")
    parser.add_argument("--consent", default=BASELINE[0])
    parser.add_argument("--pairing", default=BASELINE[1])
    parser.add_argument("--json", type=Path, help="write the results to this file")
    return parser.parse_args()


def main() -> None:
    args = parse()
    work = (args.work or Path(tempfile.mkdtemp(prefix="stedi-compare-"))).absolute()
    work.mkdir(parents=True, exist_ok=True)
    landing = work / "landing"
    shutil.rmtree(landing, ignore_errors=True)
    scale(args.landing, landing, args.copies, args.days, args.apart)
    # Else whoever comes first shares the disk with them.
    os.sync()
    size = sum(path.stat().st_size for path in landing.rglob("*.json"))
    print(f"{args.copies} copies, {size / 1e6:.0f} MB of JSON, {os.cpu_count()} cores", flush=True)
    if not PROC:
        print("no /proc here: the peak is that of the largest single process, not of all together")

    results, failed = collect(landing, work, args)
    print("", *table(results), sep="\n")
    if args.json:
        about = {
            "copies": args.copies,
            "days": args.days,
            "hours_apart": args.apart,
            "json_bytes": size,
            "consent": args.consent,
            "pairing": args.pairing,
            "cores": os.cpu_count(),
            "machine": platform.platform(),
            "python": platform.python_version(),
        }
        args.json.write_text(json.dumps({**about, "results": [vars(r) for r in results]}, indent=2) + "\n")
    if failed:
        sys.exit(f"failed: {', '.join(sorted(failed))}; their logs are in {work}")
    if args.work is None:
        shutil.rmtree(work)
    if (args.consent, args.pairing) == BASELINE and len({tuple(r.rows.values()) for r in results}) > 1:
        sys.exit("the contenders' rows differ: they did not do the same work on this data")


if __name__ == "__main__":
    main()
