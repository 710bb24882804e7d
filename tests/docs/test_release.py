"""A release says the truth about itself, and its workflows run what they name and nothing else."""

import re
import runpy
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
BUILD = runpy.run_path(str(ROOT / "hatch_build.py"))
README = (ROOT / "README.md").read_text()
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
FORMS = [
    form
    for form in sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))
    if form.name != "config.yml"
]
ZIZMOR = Path(sys.executable).with_name("zizmor")
USES = re.compile(r"uses: *(\S+)(.*)")
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")
RELEASED = re.compile(r" # v\d+\.\d+\.\d+")
LINK = re.compile(r"\]\(([^)\s]+)\)")
# Where a version of ours could stand a second time; the changelog has a heading for each release.
TEXTS = [
    *(ROOT / "src").rglob("*.py"),
    *(ROOT / "docs").rglob("*.md"),
    *(ROOT / "templates").glob("*.yaml"),
    *WORKFLOWS,
    *(ROOT / name for name in ("README.md", "SECURITY.md", "CONTRIBUTING.md", "hatch_build.py")),
]
A_VERSION = re.compile(
    r"(?:cfn[-_]once|CFN_ONCE)\W{0,3}v?\d+\.\d+\.\d+|^__version__"
    rf"|^[A-Z_]*VERSION\b.*[\"']{re.escape(PROJECT['version'])}[\"']",
    re.MULTILINE,
)


def test_the_version_stands_in_one_place():
    """
    Only pyproject.toml names the version; the command and the metadata ask for it.
    """
    assert re.fullmatch(r"\d+\.\d+\.\d+", PROJECT["version"])
    assert [] == [
        f"{text.relative_to(ROOT)}: {found}"
        for text in TEXTS
        for found in A_VERSION.findall(text.read_text())
    ], "take it out: what needs the version asks importlib.metadata for it"


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda workflow: workflow.name)
def test_actions_are_pinned(workflow):
    """
    An action is named by the hash of a commit, which nobody can move, with its version beside it.
    """
    used = USES.findall(workflow.read_text())

    assert used
    assert [] == [
        action
        for action, comment in used
        if not (PINNED.fullmatch(action) and RELEASED.fullmatch(comment))
    ], "write owner/name@<the 40 digits of the release's commit> # v1.2.3"


def test_zizmor_finds_nothing():
    """
    No workflow gives more than it needs, keeps a credential or runs what a stranger wrote.
    """
    told = subprocess.run(
        [ZIZMOR, "--offline", "--no-progress", "--persona", "pedantic", ROOT / ".github"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == told.returncode, told.stdout + told.stderr


def jobs():
    return [
        job
        for workflow in WORKFLOWS
        for job in yaml.safe_load(workflow.read_text())["jobs"].values()
    ]


def test_workflows_call_what_the_makefile_has():
    """
    Each `make` of a workflow is a target.
    """
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    commands = "\n".join(step.get("run", "") for job in jobs() for step in job["steps"])
    asked = set(re.findall(r"\bmake ([a-z-]+)", commands))

    assert {"check", "docs", "smoke", "workflows"} == asked
    assert asked <= targets


def test_the_declared_pythons_are_run():
    """
    The classifiers name the Pythons that the workflow runs, and no other.
    """
    declared = [
        name.rpartition(" ")[2]
        for name in PROJECT["classifiers"]
        if re.fullmatch(r"Programming Language :: Python :: 3\.\d+", name)
    ]
    (run,) = [job["strategy"]["matrix"]["python"] for job in jobs() if "strategy" in job]

    assert declared == run
    assert PROJECT["requires-python"] == f">={declared[0]}"


def test_readmes_links_are_absolute_on_an_index():
    """
    Where the repository has an address, links lead to it, at the tag; without one they are text.
    """
    with_address = BUILD["readme"](README, "https://example.com/cfn-once/", "1.2.3")
    without = BUILD["readme"](README, None, "1.2.3")

    assert "](https://example.com/cfn-once/blob/v1.2.3/docs/tutorial.md)" in with_address
    assert "](https://example.com/cfn-once/blob/v1.2.3/README.md#install)" in with_address
    assert len(LINK.findall(README)) == len(LINK.findall(with_address))
    for text in (with_address, without):
        assert [] == [link for link in LINK.findall(text) if not link.startswith("https://")]
    assert "](https://example.com/cfn-once/raw/v1.2.3/docs/images/duplicate.svg)" in with_address
    assert [] == re.findall(r"!\[", without)


def test_the_sbom_names_each_requirement():
    """
    What the package needs, and what each extra needs, is in the SBOM, with the version of none.
    """
    made = BUILD["sbom"](PROJECT)
    extras = PROJECT["optional-dependencies"].values()
    needed = {*PROJECT["dependencies"], *(name for extra in extras for name in extra)}

    assert needed == {part["properties"][0]["value"] for part in made["components"]}
    assert PROJECT["version"] == made["metadata"]["component"]["version"]
    assert "pkg:pypi/boto3" in made["dependencies"][0]["dependsOn"]


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_issue_forms_can_be_filled_in(form):
    """
    A form has a name, says what it is for, and asks for one thing at a time.
    """
    asked = yaml.safe_load(form.read_text())
    fields = [field for field in asked["body"] if field["type"] != "markdown"]

    assert {"name", "description", "body"} <= set(asked)
    assert len({field["id"] for field in fields}) == len(fields) > 0
    assert all(field["attributes"]["label"] for field in fields)


def test_hooks_before_a_commit_are_the_projects_own():
    """
    Nothing is fetched for them: each runs a tool of the project's environment.
    """
    (repo,) = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())["repos"]

    assert "local" == repo["repo"]
    assert {"system"} == {hook["language"] for hook in repo["hooks"]}
    assert all(hook["entry"].startswith(".venv/bin/") for hook in repo["hooks"])
