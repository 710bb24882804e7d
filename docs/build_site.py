"""Build the site, into build/site: `make docs` calls it.

Pages keep their places, so a link that works in the repository works in the site. They are copied
to build/pages, with what they link to besides pages and with a page of reference for each public
module, made of its names. No page asks anything of another host: what draws the diagrams, and what
the search needs in a page that is opened as a file, is put beside the pages.
"""

import importlib
import inspect
import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
PAGES, SITE = ROOT / "build" / "pages", ROOT / "build" / "site"
FROM_NPM = Path(sys.prefix) / "site" / "package"  # the Makefile puts it there
MERMAID = FROM_NPM / "dist" / "mermaid.min.js"
IFRAME_WORKER = FROM_NPM / "shim" / "index.js"
STYLE = "docs/site.css"
PLACES = ("*.md", "docs/**/*.md", "examples/*/README.md")
ROW = re.compile(r"^\|.*\|$", re.MULTILINE)
CODE = re.compile(r"`[^`]+`")
LINKED = re.compile(r"\]\(([^)#\s:]+)(?:#[^)\s]*)?\)")
# A public module, and what its page says first: what the module itself says, unless named.
REFERENCE = {
    "cfn_once": "What a provider is written with.",
    "cfn_once.testing": "The test kit. [Testing](../testing.md) shows how it is used.",
    "cfn_once.testing.contract": "",
    "cfn_once.ledger": "What is kept, for those who write a store of their own. "
    "[Ledgers](../ledgers.md) says which there are.",
    "cfn_once.entry": "",
    "cfn_once.guardian": "",
    "cfn_once.crhelper": "What handlers written for crhelper import. "
    "[Moving in](../migrate.md) says what differs.",
    "cfn_once.lint": "The cfn-lint rules. [Lint](../lint.md) says what each finds.",
}
KINDS = ("Classes", "Functions", "Values", "Errors")


def pages() -> dict[str, str]:
    """Return every page of the site as Markdown, under its place."""
    written = {
        page.relative_to(ROOT).as_posix(): with_pipes(page.read_text())
        for place in PLACES
        for page in sorted(ROOT.glob(place))
    }
    return written | {place_of(name): reference(name) for name in REFERENCE}


def with_pipes(text: str) -> str:
    """Return a page whose tables write `|` in code as Zensical reads it: without a backslash."""
    return ROW.sub(
        lambda row: CODE.sub(lambda code: code[0].replace(r"\|", "|"), row[0]),
        text,
    )


def place_of(module: str) -> str:
    return f"docs/reference/{module.rpartition('.')[2]}.md"


def reference(name: str) -> str:
    """Return the page of a module: its public names, which mkdocstrings replaces by docstrings."""
    module = importlib.import_module(name)
    kinds: dict[str, list[str]] = {kind: [] for kind in KINDS}
    for public in public_names(module):
        kinds[kind_of(getattr(module, public))].append(public)
    parts = [f"# {name}", REFERENCE[name] or inspect.getdoc(module) or ""]
    for kind, names in kinds.items():
        parts += [f"## {kind}"] if names else []
        parts += [
            f"::: {name}.{public}\n    options: {json.dumps(options(module, public))}"
            for public in names
        ]
    return "\n\n".join(parts) + "\n"


def options(module: ModuleType, public: str) -> dict[str, Any]:
    """Return how mkdocstrings shows a name."""
    value = getattr(module, public)
    shown: dict[str, Any] = {"heading_level": 3, "show_bases": kind_of(value) == "Errors"}
    if module.__name__ == "cfn_once.lint":  # what cfn-lint calls in a rule is no reader's business
        return shown | {"members": False, "inherited_members": False}
    # A record whose docstring does not list its fields shows them by their names and types.
    return shown | {"show_if_no_docstring": "Attributes:" not in (inspect.getdoc(value) or "")}


def public_names(module: ModuleType) -> Iterable[str]:
    """Return what a module exports; without a list of that, the functions that it defines."""
    defined = [
        name
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and name[0] != "_"
    ]
    return getattr(module, "__all__", defined)


def kind_of(value: object) -> str:
    if inspect.isclass(value):
        return "Errors" if issubclass(value, BaseException) else "Classes"
    return "Functions" if inspect.isfunction(value) else "Values"


def write(folder: Path, texts: dict[str, bytes]) -> None:
    """Write texts below a folder, each in its place."""
    for place, text in texts.items():
        target = folder / place
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text)


def linked_files(texts: dict[str, str]) -> dict[str, bytes]:
    """Return what pages link to besides pages: templates, the licence, pictures."""
    files = {
        (ROOT / place).parent.joinpath(link).resolve()
        for place, text in texts.items()
        for link in LINKED.findall(text)
        if not link.endswith(".md")
    }
    return {
        file.relative_to(ROOT).as_posix(): file.read_bytes() for file in files if file.is_file()
    }


def draw_diagrams() -> None:
    """Put what draws diagrams beside the pages, and name it in those that have one."""
    for page in SITE.rglob("*.html"):
        text = page.read_text()
        if 'class="mermaid"' not in text:
            continue
        shutil.copyfile(MERMAID, SITE / "assets" / "mermaid.min.js")
        up = "../" * (len(page.relative_to(SITE).parts) - 1)
        script = f'<script src="{up}assets/mermaid.min.js"></script>'
        page.write_text(text.replace("</head>", f"{script}</head>"))


def main() -> None:
    texts = pages()
    shutil.rmtree(PAGES, ignore_errors=True)
    write(PAGES, {place: text.encode() for place, text in texts.items()})
    write(PAGES, {STYLE: (ROOT / STYLE).read_bytes()})
    write(PAGES, {"assets/iframe-worker.js": IFRAME_WORKER.read_bytes()})
    zensical = Path(sys.prefix) / "bin" / "zensical"
    done = subprocess.run([zensical, "build", "--clean", "--strict"], cwd=ROOT, check=False)
    if done.returncode:
        sys.exit(f"zensical found what is said above; the pages are copied from {ROOT}")
    write(SITE, linked_files(texts))  # Zensical itself leaves out a folder named templates
    draw_diagrams()
    print(f"Open {SITE.relative_to(ROOT)}/index.html: it needs no server.")


if __name__ == "__main__":
    main()
