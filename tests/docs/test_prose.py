"""Pages, comments and messages are in plain English: common words, short sentences."""

from pathlib import Path

import pytest

from support import prose, prose_of_code

ROOT = Path(__file__).resolve().parents[2]
PAGES = {
    str(page.relative_to(ROOT)): page.read_text()
    for page in [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("examples/*/README.md"),
    ]
}

PACKAGE = ROOT / "src" / "cfn_once"


@pytest.mark.parametrize("page", sorted(PAGES))
def test_a_page_is_in_plain_english(page):
    """
    A page has no banned word, and few long sentences.
    """
    assert [] == prose.faults(PAGES[page])


def of_code():
    """Return the banned words of each module that has some."""
    found = {
        str(file.relative_to(PACKAGE)): prose_of_code.banned(file.read_text())
        for file in sorted(PACKAGE.rglob("*.py"))
    }
    return {name: words for name, words in found.items() if words}


def test_comments_and_messages_are_in_plain_english():
    """
    No comment, docstring or message of the package has a banned word.
    """
    assert {} == of_code()


@pytest.mark.parametrize(
    "source",
    [
        "# Whoever reads this stumbles.\n",
        '"""A copy is told the same."""\n',
        'raise ValueError(f"the dead one of {request} is sought")\n',
    ],
)
def test_a_fault_of_the_code_is_found(source):
    """
    A banned word is found in comments, docstrings and messages; names and keys are no prose.
    """
    assert prose_of_code.banned(source)
    assert [] == prose_of_code.banned('told = answers["told"]  # Seeded bug: twins-told\n')


def test_all_pages_together():
    """
    Over all these pages, half of the sentences are short, and 19 in 20 are not long.
    """
    words = sorted(length for page in PAGES for length in prose.lengths(PAGES[page]))

    assert prose.percentile(words, 0.5) <= prose.MEDIAN
    assert prose.percentile(words, 0.95) <= prose.P95


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("Copies are told the same.", "told"),
        ("| a | what befalls it |\n| --- | --- |\n", "befalls"),
        (f"It is {'very ' * 30}long.", "over 28 words"),
    ],
)
def test_a_fault_is_found(text, fault):
    """
    A banned word and a long sentence are found, in a table too; code is not prose.
    """
    assert any(fault in found for found in prose.faults(text))
    assert [] == prose.faults(f"```text\n{text}\n```\nA `whoever` is code.")
