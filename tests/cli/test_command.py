"""The command as a shell meets it: help, wrong calls, bad input, Ctrl-C."""

import json
import os
import subprocess
import sys

import pytest

from cfn_once.cli.command import VERBS
from support.shell import call, contents, write

PROVIDER = """
from dataclasses import dataclass
from typing import Annotated
from cfn_once import CustomResource, Provider, Secret

@dataclass
class Properties:
    Name: str
    Key: Annotated[str, Secret] = ""

class Thing(CustomResource[Properties, dict]):
    def create(self):
        if self.properties.Name == "bad":
            raise ValueError("no such thing")
        return {"Length": len(self.properties.Name)}
    def update(self):
        return self.create()
    delete = None

class Other(CustomResource[dict, dict]):
    no_echo = True
    def create(self):
        return {"Key": "hunter2-and-more"}
    delete = None

provider = Provider(Thing, Other)
one = Provider(Thing)
"""
TOLD = '[tool.cfn-once]\nexternal-api = "none"\n'
OF_PROVIDER = ("invoke create --type Custom::Thing", "test", "lint", "schema", "snippet", "docs")
LOADED = """
import sys
from cfn_once.cli.command import main
try:
    main(["--help"])
except SystemExit:
    pass
print(sorted(sys.modules), file=sys.stderr)
"""


@pytest.fixture
def folder(tmp_path):
    template = "Resources:\n  A:\n    Type: Custom::Thing\n    Properties: {ServiceToken: x}\n"
    write(tmp_path, {"provider.py": PROVIDER, "stack.yaml": template, "pyproject.toml": TOLD})
    return tmp_path


def test_help_loads_nothing_heavy():
    """
    Help appears at once: neither the package's core nor a third party is loaded for it.
    """
    done = subprocess.run(
        [sys.executable, "-c", LOADED], capture_output=True, text=True, check=True
    )
    heavy = ("cfn_once._provider", "cfnlint", "boto3", "msgspec", "pytest", "json.decoder")

    assert "usage: cfn-once VERB" in done.stdout
    assert [] == [name for name in heavy[:-1] if f"'{name}'" in done.stderr]


@pytest.mark.parametrize("verb", VERBS)
def test_help(verb, tmp_path):
    """
    Each verb has help with an example and the exit codes.
    """
    called = call(tmp_path, verb, "--help")

    assert 0 == called.code
    assert f"example:\n  cfn-once {verb}" in called.out
    assert "exit codes: 0 clean, 1 something found" in called.out


WRONG = {
    "": "usage: cfn-once VERB",
    "--nothing": "unrecognized arguments: --nothing; see cfn-once --help",
    "snipet": "there is no verb 'snipet'; did you mean snippet?",
    "zzz": "there is no verb 'zzz'; there are new, invoke",
    "invoke": "the following arguments are required: what; see cfn-once invoke --help",
    "invoke create": "the provider serves Custom::Thing, Custom::Other: name one with --type",
    "invoke create --type Custom::Thnig": "does not serve Custom::Thnig; did you mean Custom::T",
    "invoke creat": "creat is none of create, update, delete, and no file",
    "invoke create -p Name": "-p takes Name=value",
    "invoke create -p A=[": "-p A: it begins as JSON, and is none",
    "invoke create --times 0": "--times is from 1 to 1,000",
    "invoke create --type Custom::Thing -p Name=a --crash-after x": "there was no call of x",
    "lint none.yaml": "there is no template none.yaml",
    "package --python 2.7": "python: 2.7 is none of 3.11, 3.12, 3.13, 3.14",
    "deploy --template stack.yaml": "--template needs --stack",
    "deploy --template none.yaml --stack web": "--template none.yaml cannot be read",
    "deploy -p Name": "-p takes Name=value",
    "deploy -p TimeOut=9 --yes": "CodeBucket, CodeKey, Provider",
    "deploy -p ApiURL=http://x --yes": "and no ApiURL; did you mean ApiUrl?",
    "local -p Nope=1": "-p Nope: the template has LedgerStackName",
    "deploy --template stack.yaml --stack web -p A=b": "-p A: the template has no parameters",
    "deploy --policy provider.py": "holds no policy document",
    "local --policy none.json": "--policy none.json cannot be read",
    "docs --type Custom::Thing2": "did you mean Custom::Thing?",
    "new . ": ". is not empty: name another folder",
    "new stack.yaml": "stack.yaml is not empty: name another folder",
    "new a --type AWS::Thing": "AWS::Thing is no type: write Custom::",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_a_wrong_call(arguments, folder):
    """
    A wrong call ends with 2 and one line that says what is right; nothing is done.
    """
    before = contents(folder)
    called = call(folder, *arguments.split())

    assert 2 == called.code
    assert WRONG[arguments] in called.err
    assert "" == called.out
    assert before == contents(folder)


EMPTY = (
    "deploy --template stack.yaml --yes --stack",
    "deploy --delete --yes --stack",
    "deploy --yes --template",
    "deploy --region",
    "package --output",
    "lint --schema",
    "snippet --type",
    "new a --type",
    "invoke create --provider",
    "test --provider",
    "diagnose --log-group",
    "ledger list --ledger",
    "ledger list --stack",
    "resolve web A thing#0 --not-made --reason",
    "forget web A --reason why --by",
    "audit --stack-prefix",
)


@pytest.mark.parametrize("joined", [False, True])
@pytest.mark.parametrize("arguments", EMPTY)
def test_an_option_that_is_empty(arguments, joined, folder):
    """
    An option that is given and empty is a wrong call, and not as if it were not given: that means
    the provider's stack, its template, or the ledger of the environment.
    """
    *before, option = arguments.split()
    empty = [f"{option}="] if joined else [option, ""]
    called = call(folder, *before, *empty, CFN_ONCE_LEDGER="memory://")

    assert 2 == called.code
    assert f"{option} is empty; see cfn-once {before[0]} --help" in called.err
    assert "" == called.out


def test_an_argument_that_is_empty(folder):
    """
    So is a stack or a logical id; an empty argument of another command is its own affair.
    """
    write(folder, {"test_own.py": "def test_own():\n    pass\n"})

    assert "LOGICAL-ID is empty" in call(folder, "ledger", "show", "web", "").err
    assert "cfn-once: STACK is empty" in call(folder, "forget", "", "A", "--reason", "why").err
    assert "own tests: passed" in call(folder, "test", "--", "-k", "", "test_own.py").out


@pytest.mark.parametrize("text", ["", "\n  \n"])
def test_a_template_that_is_empty(text, folder):
    """
    An empty file is no template, and means by no means the provider's: nothing is asked of AWS.
    """
    write(folder, {"empty.yaml": text})
    called = call(folder, "deploy", "--template", "empty.yaml", "--stack", "victim", "--yes")

    assert 2 == called.code
    assert "cfn-once: --template empty.yaml is empty\n" == called.err


@pytest.mark.parametrize("verb", ["deploy --yes", "local"])
def test_a_parameter_of_the_settings_that_no_template_has(verb, folder):
    """
    It is refused before AWS is asked, or anything is installed.
    """
    write(folder, {"pyproject.toml": f'{TOLD}parameters.ApiURL = "http://x"\n'})
    called = call(folder, *verb.split())

    assert 2 == called.code
    assert "pyproject.toml, [tool.cfn-once]: parameters.ApiURL: the template has" in called.err
    assert called.err.endswith("and no ApiURL; did you mean ApiUrl?\n")


UNREADABLE = {
    "nothing there": ({}, "provider=provider:provider: there is no provider.py here"),
    "no provider": ({"provider.py": "provider = 1"}, "there is no cfn_once.Provider of that name"),
    "lacks": ({"provider.py": "import not_in_here"}, "No module named 'not_in_here'"),
    "fails": ({"provider.py": "1 / 0"}, "ZeroDivisionError"),
    "exits": ({"provider.py": "raise SystemExit(0)"}, "SystemExit"),
    "no class": ({"provider.py": "from cfn_once import Provider\nProvider()"}, "needs the classes"),
}


@pytest.mark.parametrize("verb", [verb for verb in OF_PROVIDER if verb != "lint"])
@pytest.mark.parametrize("case", UNREADABLE)
def test_a_provider_that_cannot_be_read(verb, case, tmp_path):
    """
    Where there is no provider to read the verb could not tell: 3, and the reason.
    """
    files, reason = UNREADABLE[case]
    write(tmp_path, {**files, "pyproject.toml": TOLD})
    called = call(tmp_path, *verb.split())

    assert 3 == called.code
    assert reason in called.err
    assert "" == called.out


def test_a_traceback_is_masked(tmp_path):
    """
    The traceback of an import is shown whole, without the secrets of the environment.
    """
    write(tmp_path, {"provider.py": 'import os\nraise ValueError(os.environ["API_TOKEN"])\n'})
    called = call(tmp_path, "docs", API_TOKEN="hunter2-and-more")

    assert 3 == called.code
    assert 'provider.py", line 2, in <module>' in called.err
    assert "provider:provider cannot be imported, see above" in called.err
    assert "hunter2" not in called.err


@pytest.mark.parametrize("verb", OF_PROVIDER)
def test_a_setting_that_nobody_knows(verb, folder):
    """
    A misspelt setting is not passed over.
    """
    write(folder, {"pyproject.toml": '[tool.cfn-once]\nexternal_api = "none"\n'})
    called = call(folder, *verb.split())

    assert 2 == called.code
    assert "external_api: unknown; did you mean external-api?" in called.err


@pytest.mark.parametrize("verb", OF_PROVIDER)
def test_control_c(verb, folder):
    """
    Ctrl-C ends each verb with a line, without a traceback, and leaves nothing behind.
    """
    write(folder, {"provider.py": "raise KeyboardInterrupt"})
    before = contents(folder)
    called = call(folder, *verb.split())

    assert 130 == called.code
    assert "cfn-once: stopped" in called.err
    assert "Traceback" not in called.err
    assert before == contents(folder)


def test_control_c_on_a_terminal(folder):
    """
    The terminal shows ^C without a newline: the verb's line begins on its own.
    """
    write(folder, {"provider.py": "raise KeyboardInterrupt"})
    reads, writes = os.openpty()
    done = subprocess.run(
        [sys.executable, "-m", "cfn_once", "schema"], cwd=folder, stderr=writes, check=False
    )
    os.close(writes)
    shown = os.read(reads, 4096)
    os.close(reads)

    assert 130 == done.returncode
    assert shown.startswith(b"\r\ncfn-once: stopped")


SIGNALS_ITSELF = "            import os, signal\n            os.kill(os.getpid(), signal.SIGINT)\n"


def test_control_c_in_a_hook(folder):
    """
    A hook that Ctrl-C meets may answer FAILED; the verb is stopped all the same.
    """
    line = '            raise ValueError("no such thing")\n'
    write(folder, {"provider.py": PROVIDER.replace(line, SIGNALS_ITSELF)})
    called = call(folder, "invoke", "create", "--provider", "provider:one", "-p", "Name=bad")

    assert 130 == called.code
    assert "nothing runs on. A call that was under way may have had its effect" in called.err
    assert "Traceback" not in called.err


def test_a_reader_that_has_seen_enough(folder):
    """
    `cfn-once docs | head -1` is no error.
    """
    done = subprocess.run(
        ["bash", "-c", f"{sys.executable} -m cfn_once docs | head -1; echo ${{PIPESTATUS[0]}}"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )

    assert "# Custom::Thing\n0\n" == done.stdout
    assert "" == done.stderr


def test_version(tmp_path):
    """
    It says its version.
    """
    assert call(tmp_path, "--version").out.startswith("cfn-once 0.")


def test_what_a_document_holds(folder):
    """
    The schema is read by the rules of lint, and tells which names are secret.
    """
    document = json.loads(call(folder, "schema", "--provider", "provider:one").out)

    assert 1 == document["version"]
    assert ["Custom::Thing"] == list(document["types"])
    assert '"writeOnly": true' in json.dumps(document["types"]["Custom::Thing"]["properties"])


def test_invoke(folder):
    """
    Each response is told, then the story; a failed one ends with 1.
    """
    good = call(
        folder,
        "invoke",
        "update",
        "--provider",
        "provider:one",
        "-p",
        "Name=ab",
        "--from",
        "Name=a",
        "--times",
        "2",
    )
    bad = call(folder, "invoke", "create", "--provider", "provider:one", "-p", "Name=bad")

    assert 0 == good.code
    assert ['{"Length": 1}', '{"Length": 2}', '{"Length": 2}'] == [
        line.strip() for line in good.out.splitlines() if "Length" in line
    ]
    assert "Update of Resource is delivered" in good.out
    assert 1 == bad.code
    assert "no such thing" in bad.out


def test_invoke_an_event(folder):
    """
    An event comes from a file or from standard input; its ResponseURL is shown nowhere.
    """
    from cfn_once.testing import create_event

    event = json.dumps(create_event("Resource", {"Name": "abc"}, resource_type="Custom::Thing"))
    write(folder, {"event.json": event, "text.json": "no event", "map.json": "{}"})
    of_file = call(folder, "invoke", "event.json", "--json")
    of_stdin = call(folder, "invoke", "-", "--json", stdin=event)

    assert 0 == of_file.code
    assert of_file.out == of_stdin.out
    assert {"Length": 3} == json.loads(of_file.out)["responses"][0]["Data"]
    assert json.loads(event)["ResponseURL"] not in of_file.out + of_file.err
    assert 3 == call(folder, "invoke", "text.json").code
    assert 3 == call(folder, "invoke", "map.json").code


def test_invoke_hides_secrets(folder):
    """
    What is marked NoEcho is not printed.
    """
    called = call(folder, "invoke", "create", "--type", "Custom::Other")

    assert '"Key": "****"' in called.out
    assert "hunter2" not in called.out + called.err


def test_real_calls_are_said(folder):
    """
    Without a stand-in the calls of hooks are real: it says so.
    """
    write(folder, {"pyproject.toml": ""})
    called = call(folder, "invoke", "create", "--type", "Custom::Other")

    assert "the calls of the hooks are real" in called.err


def test_test_without_a_stand_in(folder):
    """
    Where nothing stands in for the external API, `test` runs the user's own tests alone.
    """
    write(folder, {"pyproject.toml": "", "test_one.py": "def test_one(): assert False\n"})
    called = call(folder, "test", "--json")

    assert 1 == called.code
    assert {"contract": "not run", "own tests": "failed"} == json.loads(called.out)
    assert "they would call the real one" in called.err


def test_test_guesses_no_property_that_it_cannot(folder):
    """
    What nobody can guess of a Create is asked for, in the form in which it is given.
    """
    pattern = PROVIDER.replace("Name: str", "Name: Annotated[str, Secret]")
    write(folder, {"provider.py": pattern})
    called = call(folder, "test", "--provider", "provider:one")

    assert 3 == called.code
    assert '[tool.cfn-once.properties."Custom::Thing"]\nName = "..."' in called.err


@pytest.mark.parametrize("table", ["properties", "changed", "replaced"])
def test_test_with_settings_for_a_type_that_nobody_serves(table, folder):
    """
    A mistyped type is an error: without its settings, tests of the one that is meant are skipped.

    A provider that the call names may be another one than that of the settings.
    """
    of_type = f'{TOLD}{table}."Custom::Thnig" = {{Name = "a"}}\n'
    write(folder, {"pyproject.toml": of_type})
    called = call(folder, "test")
    other = call(folder, "test", "--provider", "provider:one")

    assert 2 == called.code
    assert f'[tool.cfn-once]: {table}."Custom::Thnig": the provider serves' in called.err
    assert "Custom::Thing, Custom::Other, and no Custom::Thnig; did you mean Custom::Thing?" in (
        called.err
    )
    assert "contract: passed" in other.out


def test_test_with_a_stand_in_that_is_none(folder):
    """
    A factory that is not there, or makes something else, is told before anything runs.
    """
    write(folder, {"pyproject.toml": '[tool.cfn-once]\nexternal-api = "provider:one"\n'})
    called = call(folder, "invoke", "create", "--type", "Custom::Other")

    assert 3 == called.code
    assert "external-api = 'provider:one'" in called.err


@pytest.mark.parametrize(
    ("imported", "missing", "how"),
    [
        ("no_such_module", "no_such_module", "install it where cfn-once runs"),
        ("greenlet", "greenlet", "pip install 'cfn-once[testing]'"),
        ("moto", "moto", "pip install 'moto'"),
        ("moto.acm", "no_such_module", "pip install 'moto[all]'"),
    ],
)
def test_a_stand_in_that_lacks_a_module(imported, missing, how, folder):
    """
    Its name and what to install are one line; what moto needs besides is in its extras.
    """
    hidden = f"import sys\nsys.modules[{missing!r}] = None\n" if imported == missing else ""
    if imported == "moto.acm":
        (folder / "moto").mkdir()
        write(folder, {"moto/__init__.py": "", "moto/acm.py": "import no_such_module\n"})
    write(
        folder,
        {
            "things.py": f"{hidden}import {imported}\n",
            "pyproject.toml": '[tool.cfn-once]\nexternal-api = "things:Api"\n',
        },
    )
    called = call(folder, "test")

    assert 3 == called.code
    (line,) = called.err.splitlines()
    assert line.startswith("cfn-once: external-api = 'things:Api': ModuleNotFoundError: ")
    assert missing in line
    assert line.endswith(f": {how}")


def test_a_stand_in_that_is_in_no_file_here(folder):
    """
    Nothing is to be installed: its module is the user's own.
    """
    write(folder, {"pyproject.toml": '[tool.cfn-once]\nexternal-api = "things:Api"\n'})

    assert call(folder, "test").err == (
        "cfn-once: external-api = 'things:Api': there is no things.py here\n"
    )


TIMED = """
import os
from cfn_once.testing import VirtualClock

class Things:
    clock, objects = VirtualClock(), {}
    def reset(self):
        self.objects.clear()

things = Things()

def external_api():
    os.environ["CFN_ONCE_CONTINUATION"] = "lambda://self"
    return things
"""
PATIENT = """
from api import things
from cfn_once import CustomResource, Provider

class Thing(CustomResource[dict, dict]):
    def create(self):
        begun = self.value("begun", lambda: things.clock.now())
        self.wait_until(lambda: things.clock.now() >= begun + 120, every=60)
        self.step("thing", lambda step: things.objects.setdefault("a", 1), repeat=True)
        return {}
    def delete(self):
        self.step("drop", lambda step: things.objects.pop("a", None), repeat=True)

provider = Provider(Thing)
"""


def test_a_stand_in_that_goes_by_the_clock(folder):
    """
    It is there before the provider, which reads the environment that it sets; and the time that
    passes for a stack passes for it.
    """
    settings = '[tool.cfn-once]\nexternal-api = "api:external_api"\n'
    write(folder, {"provider.py": PATIENT, "api.py": TIMED, "pyproject.toml": settings})
    invoked = call(folder, "invoke", "create")
    tested = call(folder, "test", "--json")

    assert invoked.out.startswith("Create: SUCCESS")
    assert "passed" == json.loads(tested.out)["contract"]


def test_a_stand_in_that_is_only_read(folder):
    """
    Hooks that make nothing need no more than a function that lets them call it.
    """
    api = "import provider\ndef external_api():\n    provider.KNOWN.append('web')\n"
    looking = PROVIDER.replace("provider =", "KNOWN = []\n\nprovider =")
    looking = looking.replace('self.properties.Name == "bad"', "not KNOWN")
    settings = '[tool.cfn-once]\nexternal-api = "api:external_api"\nprovider = "provider:one"\n'
    write(folder, {"provider.py": looking, "api.py": api, "pyproject.toml": settings})
    invoked = call(folder, "invoke", "create", "-p", "Name=web")
    tested = call(folder, "test", "--json")

    assert invoked.out.startswith("Create: SUCCESS")
    assert "the stand-in holds" not in invoked.out
    assert "passed" == json.loads(tested.out)["contract"]


def test_lint(folder):
    """
    Findings are lines with their places, or JSON, and may be left out.
    """
    lines = call(folder, "lint", "stack.yaml")
    told = json.loads(call(folder, "lint", "--json").out)
    left_out = call(folder, "lint", "-i", "E97")

    assert (1, 1, 0) == (lines.code, bool(told), left_out.code)
    assert "stack.yaml:4:5: E9703 Name: missing\n" in lines.out
    assert {"file": "stack.yaml", "line": 4, "column": 5, "rule": "E9703"}.items() <= told[
        0
    ].items()


def test_lint_what_is_no_template(folder):
    """
    What cannot be read is not clean: 3.
    """
    write(folder, {"bad.yaml": "Resources: [", "schema.json": '{"version": 9, "types": {}}'})

    assert 3 == call(folder, "lint", "bad.yaml").code
    assert 3 == call(folder, "lint", "stack.yaml", "--schema", "schema.json").code
    assert 3 == call(folder, "lint", "stack.yaml", "--provider", "gone:provider").code
    assert "ends in .json" in call(folder, "lint", "stack.yaml", "--schema", "schema.txt").err


def test_lint_where_there_is_none(tmp_path):
    """
    A folder without templates is not clean either.
    """
    called = call(tmp_path, "lint")

    assert 3 == called.code
    assert "there is no template here" in called.err


DEEP = "[" * 100_000
NO_SETTINGS = {
    "no table of tools": "tool = 1",
    "no table of ours": "[tool]\ncfn-once = 1",
    "a list": "[tool]\ncfn-once = []",
    "nested without end": f"a = {DEEP}",
}


@pytest.mark.parametrize("case", NO_SETTINGS)
def test_settings_that_are_none(case, folder):
    """
    A file of settings that is no such thing is a wrong call, and named.
    """
    write(folder, {"pyproject.toml": NO_SETTINGS[case]})
    called = call(folder, "docs")

    assert 2 == called.code
    assert called.err.startswith("cfn-once: ")
    assert "pyproject.toml" in called.err
    assert 1 == called.err.count("\n")


@pytest.mark.parametrize("text", [b"templates: 5", b"[", b"\xff"])
def test_settings_of_cfn_lint_that_are_none(text, folder):
    """
    So it is with those of cfn-lint.
    """
    (folder / ".cfnlintrc").write_bytes(text)
    called = call(folder, "lint")

    assert 2 == called.code
    assert ".cfnlintrc" in called.err
    assert "Traceback" not in called.err


DAMAGED = {
    "a file": ("invoke deep.json", 3),
    "a property": (f"invoke create --type Custom::Other -p A={DEEP}", 2),
    "events": ("respond shop Thing --event deep.json", 2),
    "a schema": ("lint stack.yaml --schema deep.json", 3),
    "no events": ("diagnose --file null.json", 3),
    "bytes": ("snippet --type w\udcff", 2),
    "no module": ("docs --provider ..x:y", 3),
    "of no package": ("docs --provider .provider:provider", 3),
    "far too often": ("invoke create --times 100000000000000000000", 2),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_input_that_nobody_would_give(case, folder):
    """
    It ends with a line, whatever it is given; what that should be, the line says.
    """
    write(folder, {"deep.json": DEEP, "null.json": '{"events": null}'})
    arguments, code = DAMAGED[case]
    arguments = arguments.replace(DEEP, DEEP[:50_000]).split()
    called = call(folder, *arguments, CFN_ONCE_LEDGER="sqlite:///none.sqlite3")

    assert code == called.code
    assert "Traceback" not in called.err
    assert "a fault of cfn-once" not in called.err


def test_a_provider_that_raises_what_is_no_error(folder):
    """
    Whatever a module raises when it is imported, it cannot be imported.
    """
    write(folder, {"provider.py": "class Odd(BaseException): pass\nraise Odd('so it is')"})
    called = call(folder, "docs")

    assert 3 == called.code
    assert "cannot be imported, see above" in called.err


def test_a_failure_as_json(folder):
    """
    A program that asks for JSON gets JSON, also where there is no result.
    """
    called = call(folder, "docs", "--json", "--provider", "nothing:there")

    assert 3 == called.code
    assert {
        "error": "provider=nothing:there: there is no nothing.py here",
        "exit_code": 3,
    } == json.loads(called.out)
    assert "there is no nothing.py here" in called.err


SHELLS = {
    "a full disk": ("docs > /dev/full", 3, "No space left on device"),
    "a closed output": ("schema >&-", 2, "standard output is closed"),
    "a closed input": ("diagnose --file - <&-", 3, "there is no line in standard input"),
    "no folder": ("docs", 3, "the working directory is gone"),
    "a poor encoding": ("docs", 0, ""),
}


@pytest.mark.parametrize("case", SHELLS)
def test_a_shell_that_is_not_as_usual(case, folder):
    """
    The line says what is the matter; a poor encoding is told in escapes.
    """
    write(folder, {"provider.py": PROVIDER.replace("Name: str", "Größe: str")})
    arguments, code, words = SHELLS[case]
    gone = "mkdir gone; cd gone; rmdir ../gone;" if case == "no folder" else ""
    done = subprocess.run(
        ["bash", "-c", f"{gone} {sys.executable} -m cfn_once {arguments}"],
        cwd=folder,
        env={**os.environ, "PYTHONIOENCODING": "ascii:strict"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert (2 if case == "no folder" else code) == done.returncode


def test_a_fault_of_our_own(folder):
    """
    What no verb has foreseen is a line as well, without secrets; a variable shows where it was.
    """
    write(folder, {"provider.py": PROVIDER + ODD})
    secret = {"API_TOKEN": "hunter2-and-more"}
    called = call(folder, "docs", "--provider", "provider:one", **secret)
    shown = call(folder, "docs", "--provider", "provider:one", CFN_ONCE_TRACEBACK="1", **secret)

    assert (3, 3) == (called.code, shown.code)
    assert "cfn-once: this is a fault of cfn-once: RuntimeError: ****" in called.err
    assert "Traceback" in shown.err
    assert "hunter2" not in called.err + shown.err


ODD = """
import os
def odd(cls):
    raise RuntimeError(os.environ["API_TOKEN"])
Thing.property_schema = classmethod(odd)
"""


@pytest.mark.parametrize("name", ["MY_PIN", "MYSQL_PW", "PW"])
def test_words_of_settings_that_are_secret(name, folder):
    """
    A short word counts where it stands by itself: PIN is one, and SPINNER is none.
    """
    text = f"import os\nraise ValueError(os.environ['{name}'] + os.environ['SPINNER'])\n"
    write(folder, {"provider.py": text})
    called = call(folder, "docs", **{name: "hunter2-and-more", "SPINNER": "it-turns"})

    assert "hunter2" not in called.err
    assert "it-turns" in called.err


def test_an_error_without_end(folder):
    """
    Of what is far too long to read, the beginning and the end are told.
    """
    write(folder, {"provider.py": "raise ValueError('x' * 3_000_000 + 'its end')"})
    called = call(folder, "docs")

    assert 25_000 > len(called.err)
    assert "its end" in called.err


def test_a_schema_that_names_itself(folder):
    """
    A reference that leads back to itself says nothing, and ends.
    """
    document = json.loads(call(folder, "schema", "--provider", "provider:one").out)
    loop = {"$ref": "#/$defs/A"}
    schema = {"type": "object", "properties": {"Name": loop}, "$defs": {"A": loop}}
    document["types"]["Custom::Thing"]["properties"] = schema
    write(folder, {"loop.json": json.dumps(document)})
    called = call(folder, "lint", "stack.yaml", "--schema", "loop.json")

    assert called.code in (0, 1)
    assert "Traceback" not in called.err
