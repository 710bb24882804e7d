"""The built site stands by itself: every link leads somewhere, and nothing is asked of others."""

import importlib
import re
import runpy
import sys
import threading
from functools import partial
from html.parser import HTMLParser
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from browser import CHROMIUM, Browser

SITE = Path(__file__).resolve().parents[2] / "build" / "site"
LOADED = {"script": "src", "img": "src", "iframe": "src", "link": "href", "source": "src"}
DESKTOP, PHONE = (1280, 900), (390, 844)
# Wait for what a function gives, but not for ever: a minute.
LATER = """async wanted => {
  for (let tries = 0; tries < 1200; tries++) {
    const found = wanted();
    if (found) return found;
    await new Promise(later => setTimeout(later, 50));
  }
  throw new Error("nothing came of " + wanted);
}"""
# The search lies in a tree of its own, below one element of the page.
PARTS = """part => [...document.querySelectorAll("*")]
  .flatMap(host => host.shadowRoot ? [...host.shadowRoot.querySelectorAll(part)] : [])"""
OPENED = f"""(async () => {{
  document.querySelector(".md-search__button").click();
  (await ({LATER})(() => ({PARTS})("input")[0])).focus();
}})()"""
FOUND = f"""({LATER})(() => ({PARTS})("[role=option]").map(result => result.textContent).join())"""
WIDTH = "document.documentElement.scrollWidth"
LAST_COLUMN = """Math.max(0, ...[...document.querySelectorAll("article :is(td, th)")]
  .map(cell => cell.getBoundingClientRect().left))"""
DRAWN = f"""({LATER})(() => {{
  const drawn = document.querySelector("div.mermaid")?.getBoundingClientRect();
  return drawn?.height ? [drawn.width, drawn.height] : null;
}})"""

needs_a_browser = pytest.mark.skipif(
    CHROMIUM is None, reason="no Chromium: apt-get install chromium"
)


class Page(HTMLParser):
    """What a page names: its title, its anchors, its links, and what a browser loads for it."""

    def __init__(self, text):
        super().__init__()
        self.title, self.anchors, self.links, self.loads = "", set(), set(), set()
        self.feed(text)
        self.title = (re.search("<title>(.*?)</title>", text, re.DOTALL) or ["", ""])[1].strip()

    def handle_starttag(self, tag, attributes):
        named = dict(attributes)
        self.anchors |= {named.get("id"), named.get("name")} - {None}
        if tag == "a":
            self.links |= {named.get("href")} - {None}
        if place := named.get(LOADED.get(tag)):
            self.loads.add(place)


@pytest.fixture(scope="module")
def pages():
    return {file: Page(file.read_text()) for file in sorted(SITE.rglob("*.html"))}


@pytest.fixture(scope="module")
def address():
    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=SITE))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    server.server_close()


def test_every_page_has_a_title_of_its_own(pages):
    """
    No two pages have one title, and none has none.
    """
    titles = [page.title for page in pages.values()]

    assert sorted(set(titles) - {""}) == sorted(titles)


def test_the_reference_has_every_public_name(pages):
    """
    A name that a public module exports has its place on the page of that module.
    """
    build = runpy.run_path(str(SITE.parents[1] / "docs" / "build_site.py"))
    wanted = {
        f"{module}.{name}": (SITE / build["place_of"](module)).with_suffix(".html")
        for module in build["REFERENCE"]
        for name in build["public_names"](importlib.import_module(module))
    }

    assert {"cfn_once.Provider", "cfn_once.guardian.handler"} <= set(wanted)
    assert [] == [name for name, page in wanted.items() if name not in pages[page].anchors]


def test_every_link_leads_somewhere(pages):
    """
    A link within the site names a file of it, and an anchor that is on that page.
    """
    broken = []
    for file, page in pages.items():
        for link in page.links | page.loads:
            parts = urlsplit(link)
            if parts.scheme or file.name == "404.html":  # its links begin where the site is put
                continue
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            target = target / "index.html" if target.is_dir() else target
            known = pages[target].anchors if target in pages else set()
            if not target.is_file() or (parts.fragment and parts.fragment not in known):
                broken.append(f"{file.relative_to(SITE)}: {link}")

    assert [] == broken


def test_a_code_span_shows_what_its_page_says(pages):
    """
    A bar in a table's code is written with a backslash before it, and shown without.
    """
    texts = {file: file.read_text() for file in pages}

    assert any("&lt;StackId&gt;|&lt;LogicalResourceId&gt;" in text for text in texts.values())
    assert [] == [file.name for file in texts if r"\|" in texts[file].partition("<article")[2]]


def test_nothing_is_loaded_from_elsewhere(pages):
    """
    Scripts, styles, fonts and pictures lie beside the pages.
    """
    assert set() == {place for page in pages.values() for place in page.loads if "//" in place}


@needs_a_browser
def test_a_browser_asks_nobody_else(pages, address, tmp_path):
    """
    Every page is shown without a request to another host, and a phone has room for each: the page
    does not scroll to the side, and no column of a table begins where nobody sees it.
    """
    wide = []
    with Browser(tmp_path) as browser:
        browser.size(*PHONE, phone=True)
        for file in pages:
            browser.open(address + str(file.relative_to(SITE)))
            if max(browser.run(WIDTH), browser.run(LAST_COLUMN)) > PHONE[0]:
                wide.append(file.name)
        asked = {place for place in browser.asked if not place.startswith(("data:", "blob:"))}

    assert len(pages) < len(asked)
    assert [] == [place for place in asked if not place.startswith(address)]
    assert [] == wide


@needs_a_browser
@pytest.mark.parametrize("served", [True, False], ids=["served", "opened as files"])
def test_a_reader_searches_and_sees_the_diagram(served, address, tmp_path):
    """
    The search finds what readers come with, and the state machine is drawn; nobody else is asked.
    """
    start = address if served else f"{SITE.as_uri()}/"
    found = {}
    with Browser(tmp_path) as browser:
        browser.size(*DESKTOP)
        for words in ("guardian", "duplicate", "ServiceToken", "in doubt"):
            browser.open(f"{start}index.html")
            browser.run(OPENED)
            browser.ask("Input.insertText", text=words)
            found[words] = browser.run(FOUND)
        browser.open(f"{start}docs/state-machine.html")
        width, height = browser.run(DRAWN)
        asked = [place for place in browser.asked if not place.startswith(("data:", "blob:"))]

    assert [] == [words for words in found if words.lower() not in found[words].lower()]
    assert width > 400
    assert height > 100
    assert [] == [place for place in asked if not place.startswith(start)]
