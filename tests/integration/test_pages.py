"""The pages: every link leads somewhere, and every table is what the command beside it makes of the kept rows."""

import ast
import re
import shlex
from pathlib import Path
from typing import Any

import api
import pytest
import yaml

from gada.__main__ import main
from gada.runs.identity import flat
from gada.settings import Settings, as_plain

ROOT = Path(__file__).parents[2]
PATTERNS = ("*.md", "checkpoints/*.md", "data/README.md", "data/photos/*.md", "docs/**/*.md", "tests/golden/*.md")
PAGES = sorted(page.relative_to(ROOT).as_posix() for pattern in PATTERNS for page in ROOT.glob(pattern))
LINK = re.compile(r"\]\(([^)\s]+)\)")
FENCED = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)


def anchors(text: str) -> set[str]:
    """Return what a hosting site calls the headings of a page."""
    titles = re.findall(r"^#+ (.*)$", FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def dead_links(page: Path) -> list[str]:
    """Return the links of a page that lead to no file of the repository, or to no heading of a page."""
    dead = []
    for link in LINK.findall(FENCED.sub("", page.read_text(encoding="utf-8"))):
        path, _, anchor = link.partition("#")
        target = page.parent / path if path else page
        if re.match(r"[a-z]+:", link):
            continue
        if not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            dead.append(link)
    return dead


def test_dead_links_are_seen(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# One `two`: three\n[a](#one-two-three) [b](https://example.org) [c](page.md#four) ![d](no.png)\n")
    assert dead_links(page) == ["page.md#four", "no.png"]


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    assert dead_links(ROOT / page) == []


def test_every_page_of_docs_is_linked() -> None:
    links = {(Path(page).parent, link) for page in PAGES for link in LINK.findall((ROOT / page).read_text())}
    linked = {(ROOT / folder / link.partition("#")[0]).resolve() for folder, link in links}
    others = {"docs/releasing.md"}  # for those who find it in CONTRIBUTING.md's folder
    assert {page for page in PAGES if page.startswith("docs/") and (ROOT / page).resolve() not in linked} <= others


def test_the_reference_is_that_of_the_docstrings() -> None:
    text = api.PAGE.read_text(encoding="utf-8")
    assert f"<!-- tests/api.py -->\n{api.reference().strip()}\n<!-- end -->" in text, "run `make tables`"


def place(file: str, name: str) -> bool:
    """Tell whether a Python file defines a class, function, method or field, or a YAML file has a key."""
    text = (ROOT / file).read_text(encoding="utf-8")
    found: Any = yaml.safe_load(text) if file.endswith(".yaml") else ast.parse(text)
    for part in name.split("."):
        found = found.get(part) if isinstance(found, dict) else defined(found).get(part)
    return found is not None


def defined(node: Any) -> dict[str, Any]:
    """Return what the body of a module, class or function defines, by name."""
    names: dict[str, Any] = {}
    for one in getattr(node, "body", ()):
        target = one.targets[0] if isinstance(one, ast.Assign) else getattr(one, "target", None)
        names[str(getattr(one, "name", None) or getattr(target, "id", ""))] = one
    return names


def test_every_place_that_the_page_of_the_paper_names_exists() -> None:
    settings = flat(as_plain(Settings()))
    rows = [line.split("|")[2:4] for line in (ROOT / "docs/paper.md").read_text("utf-8").splitlines() if "| `" in line]
    assert len(rows) > 50
    for cell in (cell for row in rows for cell in row):
        file = ""
        for word in re.findall(r"`([^`]+)`", cell):
            if "/" in word:
                file = word
                assert (ROOT / file).is_file(), word
            else:
                assert place(file, word) if file else word in settings, f"{file or 'settings'}: {word}"


def remaking(page: str) -> list[list[str]]:
    """Return the commands of a page that put a table of kept rows into it, as `make tables` runs them."""
    lines = re.findall(r"^python -m gada (.* --into .*)$", (ROOT / page).read_text(encoding="utf-8"), re.MULTILINE)
    return [shlex.split(line, comments=True) for line in lines]


@pytest.mark.parametrize("page", [page for page in PAGES if remaking(page)])
def test_the_tables_of_a_page_are_those_of_its_commands(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    text = (ROOT / page).read_text(encoding="utf-8")
    copy = tmp_path / "page.md"
    copy.write_text(re.sub(r"(<!-- gada (?!generate).*? -->).*?(<!-- end -->)", r"\1\n\2", text, flags=re.DOTALL))
    for words in remaking(page):
        assert words[words.index("--into") + 1] == page
        drawn = words.index("--figure") if "--figure" in words else len(words)  # the plots are not compared
        command = words[:drawn] + words[drawn + 2 :]
        assert main([str(copy) if word == page else word for word in command]) == 0
    assert copy.read_text(encoding="utf-8") == text, "run `make tables`"
