"""What the package's metadata and its wheel say besides pyproject.toml: README, and an SBOM.

README's links lead to files of the repository. An index shows README elsewhere, so they are made
absolute there, from the address that `[project.urls]` names as `Source`, at the release's tag.
Without an address they are text: a link that leads nowhere is worse than none.
"""

import json
import re
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

LINK = re.compile(r"(!?)\[([^\]]+)\]\((?!https?:)([^)\s]+)\)")
AFTER_A_NAME = re.compile(r"[^\w.-]")


def readme(text: str, source: str | None, version: str) -> str:
    """Return README as an index shows it, which names no heading: no link leads into it."""
    if source is None:
        return LINK.sub(r"\2", text)

    def absolute(link: re.Match[str]) -> str:
        kind = "raw" if link[1] else "blob"  # a picture is not a page about a picture
        path = f"README.md{link[3]}" if link[3].startswith("#") else link[3]
        return f"{link[1]}[{link[2]}]({source.rstrip('/')}/{kind}/v{version}/{path})"

    return LINK.sub(absolute, text)


def sbom(project: dict[str, Any]) -> dict[str, Any]:
    """Return what the wheel is made of and what it needs, in CycloneDX's form.

    No code of others is in the wheel. What it needs is named with its requirement, since pip
    chooses the version; an extra's is optional. Nothing in it depends on when it was made.
    """
    own = f"pkg:pypi/{project['name']}@{project['version']}"
    extras = project.get("optional-dependencies", {})
    optional = [needed for extra in sorted(extras) for needed in extras[extra]]
    components = [
        *(component(needed, "required") for needed in project["dependencies"]),
        *(component(needed, "optional") for needed in optional),
    ]
    refs = [part["bom-ref"] for part in components]
    return {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "library",
                "bom-ref": own,
                "name": project["name"],
                "version": project["version"],
                "description": project["description"],
                "licenses": [{"license": {"id": project["license"]}}],
                "purl": own,
            }
        },
        "components": components,
        "dependencies": [{"ref": own, "dependsOn": refs}, *({"ref": ref} for ref in refs)],
    }


def component(requirement: str, scope: str) -> dict[str, Any]:
    """Return what the SBOM says of a requirement."""
    name = AFTER_A_NAME.split(requirement, maxsplit=1)[0]
    return {
        "type": "library",
        "bom-ref": f"pkg:pypi/{name}",
        "name": name,
        "scope": scope,
        "purl": f"pkg:pypi/{name}",
        "properties": [{"name": "cfn-once:requirement", "value": requirement}],
    }


class Readme(MetadataHookInterface):
    """Puts README into the metadata."""

    def update(self, metadata: dict[str, Any]) -> None:
        text = Path(self.root, "README.md").read_text()
        source = metadata.get("urls", {}).get("Source")
        metadata["readme"] = {
            "content-type": "text/markdown",
            "text": readme(text, source, metadata["version"]),
        }


class Sbom(BuildHookInterface[Any]):
    """Puts the SBOM into the wheel's `.dist-info/sboms`."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if self.target_name != "wheel" or version == "editable":
            return
        core = self.metadata.core.config
        file = Path(self.root, "build", "sbom", "cfn-once.cdx.json")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(sbom(core), indent=2, sort_keys=True) + "\n")
        build_data["sbom_files"].append(str(file.relative_to(self.root)))


def get_metadata_hook() -> type[MetadataHookInterface]:
    """Return the hook for hatchling, which asks under this name."""
    return Readme


def get_build_hook() -> type[BuildHookInterface[Any]]:
    """Return the hook for hatchling, which asks under this name."""
    return Sbom
