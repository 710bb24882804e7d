"""The site has every page, under a title, and every name that can be imported."""

import inspect
import re
import runpy
import tomllib
from pathlib import Path

import pytest

from cfn_once import CustomResource
from cfn_once._hooks.definition import OPTIONS

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "src" / "cfn_once"
SETTINGS = tomllib.loads((ROOT / "zensical.toml").read_text())["project"]
BUILD = runpy.run_path(str(ROOT / "docs" / "build_site.py"))
WRITTEN = [
    page.relative_to(ROOT).as_posix() for place in BUILD["PLACES"] for page in ROOT.glob(place)
]
MADE = [BUILD["place_of"](module) for module in BUILD["REFERENCE"]]
IMPORTED = re.compile(r"^(?:from|import) (cfn_once[\w.]*)", re.MULTILINE)
WITHOUT_NAMES = {"__main__", "cli"}  # the command


def places(nav):
    """Return the pages that a part of the navigation names, in order."""
    match nav:
        case str():
            return [nav]
        case dict():
            return places(list(nav.values()))
        case _:
            return [place for part in nav for place in places(part)]


def test_every_page_is_in_the_navigation():
    """
    Each page is named once in `nav` of zensical.toml, and `nav` names no other: add yours there.
    """
    named = places(SETTINGS["nav"])

    assert [] == sorted({*WRITTEN, *MADE} - set(named)), "add them to `nav` of zensical.toml"
    assert [] == sorted(set(named) - {*WRITTEN, *MADE}), "take them out of `nav` of zensical.toml"
    assert len(set(named)) == len(named)


@pytest.mark.parametrize("page", WRITTEN)
def test_a_page_begins_with_its_title(page):
    """
    The first line is the title, and there is no second one.
    """
    first, *lines = (ROOT / page).read_text().splitlines()
    outside = "\n".join(lines).split("\n```")[::2]

    assert first.startswith("# "), f"begin {page} with a line such as `# Its title`"
    assert [] == [line for part in outside for line in part.splitlines() if line.startswith("# ")]


def test_every_public_module_has_its_reference():
    """
    What no underscore begins is imported by users, and has a page.
    """
    public = {
        file.stem
        for file in PACKAGE.iterdir()
        if not file.name.startswith("_")
        and (file.suffix == ".py" or (file / "__init__.py").exists())
    }

    documented = {name for name in BUILD["REFERENCE"] if name.count(".") <= 1}
    assert {f"cfn_once.{name}" for name in public - WITHOUT_NAMES} | {"cfn_once"} == documented


def test_the_reference_has_all_that_a_hook_sees():
    """
    What every instance has, the docstring of its class lists: nothing else would show it.
    """
    given = set(re.findall(r"\bself\.([a-z]\w*)", inspect.getsource(CustomResource.__init__)))
    listed = set(re.findall(r"^    (\w+): ", inspect.getdoc(CustomResource), re.MULTILINE))

    assert {"request", "log"} <= given
    assert set() == {*given, *OPTIONS} - listed


def test_every_module_that_pages_import_has_its_reference():
    """
    What a page's code imports from, a reader can look up; so can the tests that pytest collects.
    """
    imported = {
        module for page in WRITTEN for module in IMPORTED.findall((ROOT / page).read_text())
    }

    assert {"cfn_once", "cfn_once.testing.contract"} <= imported
    assert set() == imported - set(BUILD["REFERENCE"])
