"""
Look into what `make wheel` built, in two folders: the same bytes, all that is needed, true texts.

    python tests/check_wheel.py build/wheel build/again [--released-from ADDRESS --tag v1.2.3]

A release says from which address and at which tag it is made; the metadata has to say the same.
"""

import argparse
import email
import json
import re
import sys
import tarfile
import zipfile
from pathlib import Path

NEEDED = (
    *("cfn_once/py.typed", "cfn_once/_provider.py", "licenses/LICENSE"),
    *("cfn_once/cli/command.py", "cfn_once/lint/__init__.py", "entry_points.txt"),
    *("METADATA", "sboms/cfn-once.cdx.json"),
)
NEEDED_OF_SDIST = ("README.md", "SECURITY.md", "tests/smoke.txt", "hatch_build.py", "PKG-INFO")
RELATIVE_LINK = re.compile(r"\]\((?!https?:|#)[^)\s]+\)")


def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("built", type=Path)
    parser.add_argument("again", type=Path)
    parser.add_argument("--released-from")
    parser.add_argument("--tag")
    given = parser.parse_args(arguments)
    (wheel,), (sdist,) = given.built.glob("*.whl"), given.built.glob("*.tar.gz")
    inside = zipfile.ZipFile(wheel)
    needed = [
        *NEEDED,
        *(f"cfn_once/templates/{template.name}" for template in Path("templates").glob("*.yaml")),
    ]
    metadata = email.message_from_bytes(read(inside, "METADATA"))
    return [
        *(f"{file.name} differs when it is built again" for file in differing(given)),
        *(f"the wheel lacks {file}" for file in lacking(needed, inside.namelist())),
        *(f"the sdist lacks {file}" for file in lacking(NEEDED_OF_SDIST, names_of(sdist))),
        *untrue(metadata, json.loads(read(inside, "sboms/cfn-once.cdx.json"))),
        *unreleasable(metadata, given.released_from, given.tag),
    ]


def differing(given):
    for file in given.built.iterdir():
        if file.read_bytes() != (given.again / file.name).read_bytes():
            yield file


def read(inside, end):
    (name,) = [name for name in inside.namelist() if name.endswith(f".dist-info/{end}")]
    return inside.read(name)


def names_of(sdist):
    with tarfile.open(sdist) as inside:
        return inside.getnames()


def lacking(needed, names):
    """Return what is needed and is the end of no name."""
    ends = [f"/{name}" for name in names]
    return [file for file in needed if not any(end.endswith(f"/{file}") for end in ends)]


def untrue(metadata, sbom):
    """Yield what the metadata or the SBOM says wrongly."""
    for link in RELATIVE_LINK.findall(metadata.get_payload()):
        yield f"the index would show a link that leads nowhere: {link}"
    if sbom["metadata"]["component"]["version"] != metadata["Version"]:
        yield "the SBOM names another version"
    named = {part["properties"][0]["value"] for part in sbom["components"]}
    needed = {text.partition(";")[0].strip() for text in metadata.get_all("Requires-Dist")}
    if named != needed:
        yield f"the SBOM and the metadata differ about {sorted(named ^ needed)}"


def unreleasable(metadata, address, tag):
    """Yield why a release from this address, at this tag, cannot go out."""
    if tag and tag != f"v{metadata['Version']}":
        yield f"the tag is {tag}, and pyproject.toml says version {metadata['Version']}"
    urls = metadata.get_all("Project-URL", [])
    if address and f"Source, {address}" not in urls:
        yield f'pyproject.toml lacks [project.urls] Source = "{address}": README has no links'


if __name__ == "__main__":
    sys.exit("\n".join(main(sys.argv[1:])) or 0)
