"""`cfn-once local`: the provider on an AWS of this machine, for one command or a shell."""

import argparse
import io
import os
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext

from .._clock import SYSTEM_CLOCK
from .._described.settings import NO_API, Settings
from . import deploy, ministack, package
from .cloud.aws import Aws
from .cloud.stacks import Stacks
from .console import Console, Exit, Stop
from .packing.target import here
from .project import add_provider, settings
from .stand_in import URL, StandIn

DESCRIPTION = (
    "Start MiniStack, an AWS on this machine, on 127.0.0.1 and a free port; deploy the provider\n"
    "there as `cfn-once deploy` does; run a command, or a shell, whose AWS it is. Then end it\n"
    "with all that was on it. The first call installs it in the user's cache folder."
)
EXAMPLE = "cfn-once local -- cfn-once deploy --template stack.yaml --stack web --yes"
PAUSE = 0.2  # seconds between two looks at a stack: no quota of AWS's counts them here
TERMINATED = 128 + signal.SIGTERM  # as shells have it
# It enforces IAM: what the provider's role does not allow, its function cannot do.
OF_THE_SERVER = {"AUTH": "true"}
# What would lead elsewhere.
OF_THE_USER = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_SECURITY_TOKEN",
    "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what the verb takes."""
    parser.add_argument("command", nargs="*", metavar="COMMAND", help="after --; else a shell")
    parser.add_argument("--keep", action="store_true", help="let MiniStack go on afterwards")
    parser.add_argument("--stack", help="the provider's; else as `cfn-once deploy` has it")
    add_provider(parser)
    package.add_packing(parser)
    deploy.add_template_options(parser)


def run(given: argparse.Namespace, console: Console) -> int:
    """Start it, deploy the provider, run the command, and end it."""
    configured = settings()
    plan = deploy.plan_of(given, configured, here())
    folder = ministack.home()
    if not ministack.is_installed(folder):
        console.say(f"installing {ministack.PINS[0]} in {folder}, once")
        ministack.install(folder)
    with (
        _ended_in_order(),
        _stand_in(given, configured) as api,
        ministack.MiniStack(folder, OF_THE_SERVER, is_kept=given.keep) as server,
    ):
        console.say(f"MiniStack is at {server.url}")
        url = _url_of(api, console)
        around = _around(server, url)
        _point_to(around)
        parameters = {**plan.parameters, "ResponseHosts": server.host}
        parameters |= {"ApiUrl": url} if url else {}
        _deploy(plan._replace(parameters=parameters), console)
        code = _run(given.command or [os.environ.get("SHELL", "/bin/sh")])
        if given.keep:
            _tell_what_is_kept(server, api, around, console)
    return code


def _stand_in(
    given: argparse.Namespace, configured: Settings
) -> AbstractContextManager[StandIn | None]:
    """Return the stand-in for the API, where there is one and the call names no other API."""
    if configured.external_api in ("", NO_API) or "ApiUrl" in deploy.pairs_of(given.parameter):
        return nullcontext()
    return StandIn(configured.external_api, is_kept=given.keep)


def _url_of(api: StandIn | None, console: Console) -> str:
    """Return where the stand-in listens, and say who calls it."""
    if api is None:
        return ""
    url = api.url()
    console.say(
        f"the function calls the stand-in of external-api, {url}"
        if url
        else f"external-api sets no {URL}: the function does without its stand-in"
    )
    return url


def _tell_what_is_kept(
    server: ministack.MiniStack, api: StandIn | None, around: Mapping[str, str], console: Console
) -> None:
    """Say how a shell gets to what goes on, and how it is ended."""
    groups = [server.process, *([api.process] if api and api.process else [])]
    exports = " ".join(f"{name}={shlex.quote(value)}" for name, value in around.items())
    console.say(f"MiniStack goes on; its log is in {server.folder}. To use it: export {exports}")
    console.say(f"kill -- {' '.join(f'-{group}' for group in groups)} ends it")


def _deploy(plan: deploy.Plan, console: Console) -> None:
    """Deploy the provider; each line of it is shown where it fails."""
    story = io.StringIO()
    quiet = Console(out=story)
    stacks = Stacks(Aws(), quiet, SYSTEM_CLOCK, agree=lambda _: True, pause=PAUSE)
    try:
        deploy.deploy_provider(plan, Aws(), stacks, quiet)
    except Stop as stop:
        if stop.code is Exit.INTERRUPTED:  # what it says goes on ends here
            raise KeyboardInterrupt from None
        raise Stop(str(stop), stop.code, detail=story.getvalue() + stop.detail) from None
    console.say(f"the provider is the stack {plan.stack}")


def _run(command: list[str]) -> int:
    """Run a command, whom Ctrl-C reaches, and return its exit code."""
    before = signal.signal(signal.SIGINT, lambda *_: None)  # the command decides what it means
    try:
        code = subprocess.run(command, check=False).returncode  # noqa: S603 - the user's own
    except OSError as error:
        raise Stop(f"{command[0]} cannot be run: {error.strerror}", Exit.WRONG_CALL) from None
    finally:
        signal.signal(signal.SIGINT, before)
    return code if code >= 0 else 128 - code


def _around(server: ministack.MiniStack, api: str) -> dict[str, str]:
    """Return the variables with which boto3 and cfn-once meet this AWS, and no proxy between."""
    without = [os.environ.get("NO_PROXY", os.environ.get("no_proxy", "")), "127.0.0.1"]
    return {
        "AWS_ENDPOINT_URL": server.url,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",  # it takes any
        "AWS_REGION": ministack.REGION,
        "AWS_DEFAULT_REGION": ministack.REGION,
        "NO_PROXY": ",".join(filter(None, without)),
        package.TARGET: package.OF_THIS_MACHINE,
        **({URL: api} if api else {}),
    }


def _point_to(around: Mapping[str, str]) -> None:
    """Let boto3, here and in the command, meet this AWS and no other; this cfn-once is found."""
    for name in list(os.environ):
        if name in OF_THE_USER or name.startswith("AWS_ENDPOINT_URL"):
            del os.environ[name]
    path = [os.path.dirname(sys.executable), os.environ.get("PATH", "")]
    os.environ.update(around, PATH=os.pathsep.join(path))


@contextmanager
def _ended_in_order() -> Iterator[None]:
    """Let SIGTERM end the block in order, as Ctrl-C does."""

    def end(*_: object) -> None:
        sys.exit(TERMINATED)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
