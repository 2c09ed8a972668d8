"""What MkDocs does not do by itself: pages from outside of docs/, the API reference, and links between them.

MkDocs calls the functions by their names. A page keeps its links as they are in the repository, where they are read
most: a link to another page goes to that page of the site, and a link to a file that is no page becomes plain text.
"""

from __future__ import annotations

import logging
import os
import re
from pathlib import Path, PurePosixPath
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PACKAGE = "stedi_common"
REFERENCE = "reference"

#: Pages that lie outside of docs/.
OUTSIDE = ("*.md", "benchmarks/README.md", "localstack/README.md", "terraform/**/README.md")
#: Sections of the navigation that hold every page of a folder: title, folder in the site.
FOLDERS = (("Tutorials", "tutorials"), ("Terraform modules", "terraform/modules"), ("Decisions", "decisions"))

#: A link that is no image, outside of code; code comes first, so that a link within it is not found.
LINK = re.compile(r"(?P<code>```.*?```|`[^`\n]*`)|(?<!!)\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)", re.DOTALL)

# A warning of this logger fails a strict build.
log = logging.getLogger("mkdocs.plugins.stedi")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Add to the navigation what folders hold."""
    for title, folder in FOLDERS:
        pages = sorted(uri for uri in uris().values() if uri.startswith(f"{folder}/"))
        config.nav.append({title: sorted(pages, key=lambda uri: uri != f"{folder}/README.md")})
    config.nav.append({"API reference": [{module: uri} for module, uri in modules().items()]})
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that lie outside of docs/, and a page for each module of the package."""
    for path, uri in uris().items():
        if DOCS not in path.parents:
            files.append(File.generated(config, uri, abs_src_path=str(path)))
    for module, uri in modules().items():
        files.append(File.generated(config, uri, content=f"# `{module}`\n\n::: {module}\n"))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Make the links of the repository links of the site."""
    here = {uri: path for path, uri in uris().items()}.get(page.file.src_uri)
    if here is None:
        return markdown

    def linked(found: re.Match[str]) -> str:
        return found[0] if found["code"] else in_site(found["text"], found["target"], here)

    return LINK.sub(linked, markdown)


def in_site(text: str, target: str, here: Path) -> str:
    """The link of a page of the repository as the site has it."""
    path, hash_, anchor = target.partition("#")
    if not path or ":" in path:
        return f"[{text}]({target})"
    there, pages = (here.parent / path).resolve(), uris()
    if there in pages:
        start = PurePosixPath(pages[here]).parent
        return f"[{text}]({PurePosixPath(os.path.relpath(pages[there], start))}{hash_}{anchor})"
    if not there.exists():
        log.warning("%s: expected a file or folder at %s, got none", here.relative_to(ROOT), target)
    return text


def uris() -> dict[Path, str]:
    """The pages of the repository, and where the site has them."""
    outside = [path for pattern in OUTSIDE for path in ROOT.glob(pattern)]
    pages = {path: path.relative_to(ROOT) for path in outside} | {p: p.relative_to(DOCS) for p in DOCS.rglob("*.md")}
    return {
        path: uri.as_posix()
        for path, uri in sorted(pages.items())
        if not any(part.startswith(".") for part in uri.parts)
    }


def modules() -> dict[str, str]:
    """The modules of the package by name, and where the site has their pages."""
    found = {}
    for path in sorted((ROOT / PACKAGE).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if not any(part.startswith("_") for part in parts):
            found[".".join(parts)] = f"{REFERENCE}/{'.'.join(parts)}.md"
    return dict(sorted(found.items()))
