"""The documents are what they say: links lead somewhere, commands and paths exist, each decision has its head."""

import os
import re
import shlex
import subprocess
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from support.paths import ROOT, TESTS
from support.processes import PATIENCE

FOLDERS = (".", "benchmarks", "docs/**", "localstack", "terraform/**")
PAGES = sorted(
    page
    for folder in FOLDERS
    for page in set(ROOT.glob(f"{folder}/*.md"))
    if not any(part.startswith(".") for part in page.relative_to(ROOT).parts)
)
DECISIONS = sorted(set(ROOT.glob("docs/decisions/*.md")) - {ROOT / "docs/decisions/README.md"})
WORKFLOWS = sorted(ROOT.glob(".github/workflows/*.yml"))
TARGETS = set(re.findall(r"^([a-z][a-z0-9-]*):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))

HEAD = re.compile(
    r"# \S.*\n\n"
    r"- \*\*Status:\*\* (?:proposed|accepted|rejected|superseded by \[.+\]\(.+\.md\))\n"
    r"- \*\*Date:\*\* (?P<date>\d{4}-\d\d-\d\d)(?:, changed \d{4}-\d\d-\d\d)?\n"
    r"- \*\*Context:\*\* \S.*\n"
    r"- \*\*Alternatives:\*\* \S.*\n\n"
    r"\S"
)


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


def text_of(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def prose_of(page: Path) -> str:
    """The page without its blocks of code."""
    return re.sub(r"^```.*?^```", "", text_of(page), flags=re.DOTALL | re.MULTILINE)


def anchors_of(page: Path) -> set[str]:
    """The anchors of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", prose_of(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


def links_of(page: Path) -> Iterator[tuple[str, str]]:
    """The links to files of the repository: path and anchor."""
    prose = re.sub(r"`[^`\n]*`", "", prose_of(page))
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        path, _, anchor = target.partition("#")
        if ":" not in path:
            yield path, anchor


def test_there_are_pages_decisions_and_workflows():
    """Tests of none of them would pass."""
    assert {"README.md", "CONTRIBUTING.md", "docs/rules.md"} <= set(map(name_of, PAGES))
    assert len(DECISIONS) > 20
    assert WORKFLOWS
    assert "test-fast" in TARGETS
    assert any(link for page in PAGES for link in links_of(page))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_leads_to_a_file_and_a_heading(page):
    broken = []
    for path, anchor in links_of(page):
        there = page.parent / path if path else page
        if not there.exists() or (anchor and anchor not in anchors_of(there)):
            broken.append(f"{name_of(page)}: expected something at {path}{anchor and '#' + anchor}, got nothing")
    assert not broken, "\n".join(broken)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_make_target_that_a_page_names_exists(page):
    named = set(re.findall(r"(?:`|\$ )make ([a-z][a-z0-9-]*)", text_of(page)))
    assert named <= TARGETS


@pytest.mark.parametrize("decision", DECISIONS, ids=name_of)
def test_a_decision_has_status_date_context_and_alternatives(decision):
    assert HEAD.match(text_of(decision))


def test_the_index_has_each_decision_with_its_title_and_date():
    rows = set(re.findall(r"^\| \[(.+)\]\((.+)\) \| .+ \| (.+) \|$", text_of(ROOT / "docs/decisions/README.md"), re.M))
    heads = {decision: HEAD.match(text_of(decision)) for decision in DECISIONS}
    titles = {decision: text_of(decision).partition("\n")[0].removeprefix("# ") for decision in DECISIONS}
    assert rows == {(titles[d], d.name, head["date"]) for d, head in heads.items() if head}


def test_every_path_that_the_guide_for_contributors_names_exists():
    guide = text_of(ROOT / "CONTRIBUTING.md")
    named = re.findall(r"`((?:stedi_common|tests|terraform|localstack|jobs|docs|site)/[^`\s]*)`", guide)
    assert named
    assert not [path for path in named if not list(ROOT.glob(path))]


def test_every_document_and_section_that_a_test_names_exists():
    cited = [
        (test, *found)
        for test in sorted(TESTS.rglob("*.py"))
        for found in re.findall(r'\b(docs/[\w/-]+\.md)(?:, "([^"]+)")?', text_of(test))
    ]
    assert len(cited) > 10
    broken = [
        f"{name_of(test)}: expected {page} {section}, got nothing"
        for test, page, section in cited
        if not (ROOT / page).exists() or (section and f"## {section}\n" not in text_of(ROOT / page))
    ]
    assert not broken, "\n".join(broken)


def test_every_test_path_that_a_command_names_exists():
    commands = (ROOT / "Makefile", ROOT / ".pre-commit-config.yaml", *WORKFLOWS, *PAGES)
    named = {path for file in commands for path in re.findall(r"(?<![\w/])tests/[\w/]+(?:\.py)?\b", text_of(file))}
    assert {"tests/deployment", "tests/repository/test_docs.py"} <= named
    ours = {path for path in named if path != "tests/terraform"}  # of localstack/README.md
    assert not [path for path in sorted(ours) if not (ROOT / path).exists()]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=name_of)
def test_a_workflow_runs_targets_of_the_makefile_and_nothing_else(workflow):
    jobs = yaml.safe_load(text_of(workflow))["jobs"].values()
    runs = [step["run"] for job in jobs for step in job["steps"] if "run" in step]
    assert runs
    assert not [run for run in runs if run.strip() not in {f"make {target}" for target in TARGETS}]


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=name_of)
def test_a_workflow_pins_every_action_by_its_commit(workflow):
    used = re.findall(r"uses: (\S+)", text_of(workflow))
    assert used
    assert not [action for action in used if not re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", action)]


def test_the_glossary_defines_each_word_once():
    words = Counter(re.findall(r"^\| \*\*(.+?)\*\* \|", text_of(ROOT / "docs/glossary.md"), re.MULTILINE))
    needed = {
        "drop",
        "landing",
        "zone",
        "trusted",
        "curated",
        "consent start",
        "as-of",
        "claimant",
        "watermark",
        "refusal",
    }
    assert needed <= words.keys()
    assert not [word for word, times in words.items() if times > 1]


def test_the_changelog_has_the_version_of_the_package():
    version = tomllib.loads(text_of(ROOT / "pyproject.toml"))["project"]["version"]
    assert re.search(rf"^## {re.escape(version)} - \d{{4}}-\d\d-\d\d$", text_of(ROOT / "CHANGELOG.md"), re.MULTILINE)


def test_every_rule_has_a_law_in_make_test_fast():
    (words,) = re.findall(r"\(PYTEST\) (--engine .*)$", text_of(ROOT / "Makefile"), re.MULTILINE)
    rules = re.findall(r"^(\d+)\. \*\*", text_of(ROOT / "docs/rules.md"), re.MULTILINE)
    marked = [path for path in sorted(ROOT.glob("tests/**/test_*.py")) if "pytest.mark.rule(" in text_of(path)]
    collected = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-p", "no:xdist", *shlex.split(words), *marked],
        cwd=ROOT,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE,
    )
    assert f"laws of the rules {' '.join(rules)}\n" in collected.stdout, collected.stdout[-2000:]
