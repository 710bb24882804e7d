"""
Run the demo, print what came of it, and leave build/demo/report.json.

Exits 1 if cfn-once made a group too many or too few, left one, answered in two ways, or if a stack
of its did not end as it should.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError
from examples.elastigroup.spot_api import TOKEN, SpotApi
from tests.support.lambda_zip import plain_zip
from tests.support.ministack import ROOT, MiniStack
from tests.support.stacks import Stack

from .deliver import COPIES
from .response_host import Authority, ResponseHost

HERE = Path(__file__).parent
EXAMPLE = ROOT / "examples" / "elastigroup"
BUILD = ROOT / "build" / "demo"
REPORT, LOG = BUILD / "report.json", BUILD / "ministack.log"
RUNTIME = f"python3.{sys.version_info.minor}"
BUCKET = "code"
PYPROJECT = """\
[project]
name = "{name}"
version = "1"
dependencies = {needs}

[tool.cfn-once]
include = ["settings.json"]
"""
WAYS = """\
eight stacks, each from its creation to its deletion, whose events come
            in-a-row   twice, one after the other
            at-once    twice, at the same time
            late       once, and again when the stack is gone
            killed     once, and the first kills the function right after its API call"""

# A stack's life: what is done to it, with which parameters of the example's template, and how it
# should end.
FIRST = {"Minimum": "0", "Target": "1", "Maximum": "2", "Product": "Linux/UNIX"}
LARGER = {**FIRST, "Target": "2"}
OTHER = {**LARGER, "Product": "Windows"}
REFUSED = {**OTHER, "Minimum": "3"}  # above the maximum, which Spot refuses
LIFE: tuple[tuple[str, str, dict[str, str], str], ...] = (
    ("create", "create", FIRST, "CREATE_COMPLETE"),
    ("update in place", "update", LARGER, "UPDATE_COMPLETE"),
    ("replacement", "update", OTHER, "UPDATE_COMPLETE"),
    ("failing update", "update", REFUSED, "UPDATE_ROLLBACK_COMPLETE"),
    ("delete", "delete", {}, "DELETE_COMPLETE"),
)
GROUPS = 2  # a life's: the first one, and the one that replaces it


class Progress:
    """What is printed while the demo works."""

    def __init__(self) -> None:
        self._start, self._lock = time.monotonic(), threading.Lock()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._start

    def say(self, text: str) -> None:
        with self._lock:
            print(f"{self.seconds:6.1f} s  {text}", flush=True)


@dataclass(kw_only=True)
class Side:
    """One library's side of the demo.

    Attributes:
        name: Of the library.
        modules: Its provider's files in the zip.
        requirements: What its provider needs besides what cfn-once does.
    """

    name: str
    modules: dict[str, Path]
    host: ResponseHost
    spot: SpotApi
    requirements: Sequence[str] = ()
    service_token: str = ""

    def stack(self, aws: MiniStack, way: str) -> Stack:
        return Stack(aws.client("cloudformation"), f"{self.name}-{way}")

    def write(self, folder: Path) -> Path:
        """Write the provider's folder, as a user of cfn-once has one."""
        folder = folder / self.name
        folder.mkdir()
        for name, source in {**self.modules, "function.py": HERE / "function.py"}.items():
            (folder / name).write_text(source.read_text())
        settings = {"spot_api": self.spot.url, "response_host": self.host.url}
        (folder / "settings.json").write_text(json.dumps(settings))
        needs = json.dumps(self.requirements)
        (folder / "pyproject.toml").write_text(PYPROJECT.format(name=self.name, needs=needs))
        return folder

    def report(self) -> dict[str, int]:
        spot = self.spot.report()
        return {
            "stacks": len(COPIES),
            "events": len(self.host.events),
            "deliveries": self.host.deliveries.total(),
            "answers": sum(map(len, self.host.answers.values())),
            "conflicting_answers": len(self.host.conflicting),
            "expected_groups": GROUPS * len(COPIES),
            "groups_created": spot["groups_created"],
            "groups_left": spot["groups_left"],
        }


def dies(event: dict[str, Any]) -> bool:
    """Say whether the function is killed when it has made a group for this event."""
    return event["RequestType"] == "Create" and event["StackId"].split("/")[1].endswith("killed")


def deploy(aws: MiniStack, sides: Sequence[Side], folder: Path) -> str:
    """Deploy what both sides need, and both; return the ARN of the secret with Spot's token."""
    cloudformation, s3 = aws.client("cloudformation"), aws.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    deliver = plain_zip({"deliver.py": HERE / "deliver.py"})
    s3.put_object(Bucket=BUCKET, Key="deliver.zip", Body=deliver)
    secret = aws.client("secretsmanager").create_secret(Name="spot", SecretString=TOKEN)["ARN"]
    for side in sides:
        provider = f"{side.name}-provider"
        deploy_provider(aws, side.write(folder), provider, side.host.name, secret)
        deliverer = Stack(cloudformation, f"{side.name}-deliverer")
        status = deliverer.create(
            HERE / "deliver.yaml",
            ProviderStackName=provider,
            CodeBucket=BUCKET,
            CodeKey="deliver.zip",
            Runtime=RUNTIME,
            ResponseHost=side.host.url,
        )
        must(deliverer, status)
        side.service_token = deliverer.outputs["ServiceToken"]
    return str(secret)


def deploy_provider(aws: MiniStack, folder: Path, stack: str, host: str, secret: str) -> None:
    """Deploy a provider as a user does: `cfn-once deploy` packs it, and makes the ledger."""
    parameters = {
        "Handler": "function.handler",
        # MiniStack retries at once. With 30 seconds, the third try of a killed function would be
        # too short for what is left when the lease of the first has expired.
        "Timeout": "60",
        "ResponseHosts": host,
        "SecretArn": secret,
    }
    given = [part for name, value in parameters.items() for part in ("-p", f"{name}={value}")]
    command = [sys.executable, "-m", "cfn_once", "deploy", "--yes", "--stack", stack]
    done = subprocess.run(
        [*command, "--bucket", BUCKET, *given],
        cwd=folder,
        env={**os.environ, **aws.environment},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{stack} cannot be deployed:\n{done.stdout}{done.stderr}")


def must(stack: Stack, status: str) -> None:
    if status != "CREATE_COMPLETE":
        raise RuntimeError(f"{stack.name} is {status}: {'; '.join(stack.reasons)}")


def live(aws: MiniStack, side: Side, way: str, secret: str, progress: Progress) -> list[str]:
    """Run one stack's whole life; return what did not end as it should."""
    stack = side.stack(aws, way)
    wrong: list[str] = []
    for what, operation, parameters, expected in LIFE:
        if wrong and operation != "delete":
            continue  # what is broken is only cleared away
        asked = {**parameters, "ServiceToken": side.service_token, "AccessTokenSecret": secret}
        try:
            if operation == "delete":
                status = stack.delete()
            else:
                status = getattr(stack, operation)(EXAMPLE / "template.yaml", **asked)
        except ClientError as error:  # CloudFormation refuses what a broken stack cannot do
            status = error.response["Error"]["Message"]
        progress.say(f"{side.name:9} {way:9} {what:16} {status}")
        if status != expected:
            why = next(iter(stack.reasons), "nobody says why")
            wrong.append(f"{stack.name}: {what} ended in {status}, not {expected}; {why}")
    if way == "late":
        come_again(aws, side, stack.name)
        progress.say(f"{side.name:9} {way:9} every event again")
    return wrong


def come_again(aws: MiniStack, side: Side, stack_name: str) -> None:
    """Deliver every event of a stack that is gone once more."""
    for event in list(side.host.events.values()):
        if event["StackId"].split("/")[1] != stack_name:
            continue
        side.host.expect_again(event)
        aws.client("lambda").invoke(
            FunctionName=side.service_token, Payload=json.dumps({"Again": event})
        )


@contextmanager
def running(progress: Progress) -> Iterator[tuple[MiniStack, list[Side], Path]]:
    """Start all that the demo needs; whatever happens, it is stopped again."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        authority = Authority(folder)
        progress.say(
            "starting two response hosts, two mock APIs of Spot, and MiniStack; the first run"
            " installs it"
        )
        sides = [
            Side(
                name=name,
                modules=modules,
                requirements=requirements,
                host=stack.enter_context(ResponseHost(authority, dies)),
                spot=stack.enter_context(SpotApi()),
            )
            for name, modules, requirements in (
                ("cfn-once", {"provider.py": EXAMPLE / "provider.py"}, ()),
                ("crhelper", {"provider.py": HERE / "crhelper_provider.py"}, ("crhelper",)),
            )
        ]
        settings = {"AUTH": "true", "SSL_CERT_FILE": str(authority.certificate)}
        aws = stack.enter_context(MiniStack(settings))
        stack.callback(lambda: LOG.write_text(aws.log()))
        for side in sides:
            side.host.aws = aws.url
        yield aws, sides, folder


def run(progress: Progress) -> tuple[dict[str, Side], list[str]]:
    """Run all lives at the same time; return the sides, and what went wrong with cfn-once's."""
    # Entered first and left last: when the servers have stopped, what still runs fails at once.
    with ThreadPoolExecutor(2 * len(COPIES)) as lives, running(progress) as (aws, sides, folder):
        progress.say("deploying the ledger, both providers, and what delivers their events")
        secret = deploy(aws, sides, folder)
        progress.say(WAYS)
        begun = {
            (side.name, way): lives.submit(live, aws, side, way, secret, progress)
            for side in sides
            for way in COPIES
        }
        wrong = []
        for (name, _), life in begun.items():
            if name == "cfn-once":
                wrong += life.result()
            else:
                life.result()
        for side in sides:
            unended = side.host.wait_until_quiet()
            if side.name == "cfn-once":
                wrong += [f"a delivery of {event} did not come to an end" for event in unended]
        return {side.name: side for side in sides}, wrong


def table(sides: dict[str, Side]) -> str:
    """Return what is printed at the end."""
    columns = (
        ("events", "events"),
        ("deliveries", "deliveries"),
        ("answers", "answers"),
        ("answered in two ways", "conflicting_answers"),
        ("API calls", ""),
        ("groups expected", "expected_groups"),
        ("groups created", "groups_created"),
        ("groups left", "groups_left"),
    )
    lines = ["          " + "".join(f"{title:>{len(title) + 3}}" for title, _ in columns)]
    for name, side in sides.items():
        counted = {**side.report(), "": side.spot.calls.total()}
        cells = (f"{counted[key]:>{len(title) + 3}}" for title, key in columns)
        lines.append(f"{name:10}" + "".join(cells))
    return "\n".join(lines)


def faults(report: dict[str, int]) -> list[str]:
    """Return what is wrong with the figures of cfn-once."""
    expected, created = report["expected_groups"], report["groups_created"]
    found = []
    if created != expected:
        found.append(f"{created} groups were created, {expected} expected")
    if report["groups_left"]:
        found.append(f"{report['groups_left']} groups are left")
    if report["conflicting_answers"]:
        found.append(f"{report['conflicting_answers']} events were answered in two ways")
    return found


def main() -> int:
    # A demo that is told to end does so in order, as on Ctrl-C.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    progress = Progress()
    BUILD.mkdir(parents=True, exist_ok=True)
    try:
        sides, wrong = run(progress)
    except KeyboardInterrupt:
        print("stopped", flush=True)
        return 130
    reports = {name.replace("-", "_"): side.report() for name, side in sides.items()}
    REPORT.write_text(json.dumps(reports, indent=2) + "\n")
    wrong += faults(reports["cfn_once"])
    print(f"\n{table(sides)}\n")
    for fault in wrong:
        print(f"cfn-once: {fault}")
    progress.say(f"done; the figures are in {REPORT.relative_to(ROOT)}, MiniStack's log beside it")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
