"""`cfn-once deploy`: the provider, with its ledger and its code, or a stack that uses it."""

import argparse
import os
import sys
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from .._clock import SYSTEM_CLOCK
from .._described.settings import FILE, Settings
from .._properties.suggestions import did_you_mean
from . import package
from .cloud import templates
from .cloud.artifacts import Artifacts, artifacts
from .cloud.aws import Aws
from .cloud.stacks import StackPlan, Stacks
from .console import Console, Exit, Stop
from .packing import build
from .packing.target import Target
from .project import add_provider, settings
from .scratch import scratch_folder

DESCRIPTION = (
    "Deploy the provider: the ledger's stack and a bucket where they are missing, the zip of\n"
    "`cfn-once package` under its hash, and the provider's stack. With --template, deploy a stack\n"
    "of yours instead. Changes are shown, and made after a yes; no changes are success."
)
EXAMPLE = "cfn-once deploy --policy policy.yaml --yes"
LEDGER = "cfn-once-ledger"  # as templates/provider.yaml has it
# Parameters that lead to the real API. On this machine they come with the call, or not at all.
REAL = ("ApiUrl", "SecretArn")


class Plan(NamedTuple):
    """A provider as it shall be deployed.

    Attributes:
        stack: The name of its stack.
        ledger_stack: The name of the ledger's.
        template: The text of the provider's template.
        parameters: Of that template, by name.
        wanted: What its zip is made of.
        bucket: Where the zip goes; our own stack's bucket where it is empty.
    """

    stack: str
    ledger_stack: str
    template: str
    parameters: Mapping[str, str]
    wanted: build.ZipPlan
    bucket: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Take what the verb takes."""
    parser.add_argument(
        "--stack",
        help="its name; for the provider else `stack` of [tool.cfn-once], else the folder's",
    )
    parser.add_argument("--template", metavar="FILE", help="a stack of yours, not the provider's")
    parser.add_argument("--delete", action="store_true", help="delete the stack instead")
    parser.add_argument("--yes", action="store_true", help="make the changes without asking")
    parser.add_argument("--region", default="", help="else AWS_REGION, else the profile's")
    parser.add_argument("--bucket", default="", help="a bucket of yours for the zip")
    add_provider(parser)
    package.add_target(parser)
    package.add_packing(parser)
    add_template_options(parser)


def add_template_options(parser: argparse.ArgumentParser) -> None:
    """Let a call say what goes into the template, and what the hooks are allowed."""
    parser.add_argument(
        "--policy",
        action="append",
        default=[],
        metavar="FILE|ARN",
        help="what the hooks may do: a policy document, or a managed policy; else `policies`",
    )
    parser.add_argument(
        "-p",
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter of the template; one that is not given keeps its value",
    )
    parser.add_argument("--ledger-stack", metavar="STACK", help=f"the ledger's; else {LEDGER}")


def run(given: argparse.Namespace, console: Console) -> int:
    """Deploy it, or delete it."""
    configured = settings()
    if given.template is not None and given.stack is None:
        raise Stop("--template needs --stack: what shall its stack be called?", Exit.WRONG_CALL)
    yours = None if given.template is None else _yours(given, configured)
    target = package.target_of(given, configured)
    is_ours = yours is None and not given.delete
    plan = plan_of(given, configured, target) if is_ours else None
    aws = Aws(given.region)
    stacks = Stacks(aws, console, SYSTEM_CLOCK, agree=_asker(yes=given.yes, delete=given.delete))
    console.say(f"account {aws.account}")
    try:
        return _carried_out(given, configured, plan, yours, aws, stacks, console)
    except KeyboardInterrupt:
        text = "stopped: the stacks that ended above stay as they are, and nothing runs on"
        raise Stop(text, Exit.INTERRUPTED) from None


def _carried_out(
    given: argparse.Namespace,
    configured: Settings,
    plan: Plan | None,
    yours: StackPlan | None,
    aws: Aws,
    stacks: Stacks,
    console: Console,
) -> int:
    if plan is not None:
        return deploy_provider(plan, aws, stacks, console)
    if yours is None or given.delete:
        stacks.delete(given.stack or package.name_of(configured))
        return Exit.CLEAN
    stacks.upload = _Later(aws, stacks, given.bucket)
    changed = stacks.change(yours)
    return _report(yours.name, stacks, console, changed=changed)


def plan_of(given: argparse.Namespace, configured: Settings, target: Target) -> Plan:
    """Return the plan of a call; nothing was asked of AWS yet.

    Raises:
        Stop: A policy, a parameter or a target is wrong.
    """
    policies = given.policy or configured.policies
    managed = [policy for policy in policies if policy.startswith("arn:")]
    files = [policy for policy in policies if not policy.startswith("arn:")]
    ledger = given.ledger_stack or configured.ledger_stack or LEDGER
    is_here = target.is_here or package.is_for_this_machine()
    text, pairs = templates.template("provider"), pairs_of(given.parameter)
    _check_parameters(text, configured.parameters, f"{FILE}, [tool.cfn-once]: parameters.")
    _check_parameters(text, pairs, "-p ")
    parameters = {
        **{
            name: configured.parameters[name]
            for name in configured.parameters
            if not (is_here and name in REAL)
        },
        "LedgerStackName": ledger,
        "Provider": given.provider or configured.provider,
        "Runtime": f"python{target.python}",
        "Architecture": target.architecture,
        "ManagedPolicyArns": ",".join(managed),
        **pairs,
    }
    return Plan(
        stack=given.stack or package.name_of(configured),
        ledger_stack=ledger,
        template=templates.with_policies(text, files),
        parameters=parameters,
        wanted=package.wanted_of(given, configured, target),
        bucket=getattr(given, "bucket", ""),
    )


def deploy_provider(plan: Plan, aws: Aws, stacks: Stacks, console: Console) -> int:
    """Deploy a provider, and what it needs where that is missing."""
    stacks.check(plan.stack)
    if "LedgerUrl" not in stacks.outputs(plan.ledger_stack):
        stacks.change(StackPlan(plan.ledger_stack, templates.template("ledger"), {}))
    place = artifacts(aws, stacks, plan.bucket)
    stacks.upload = place.upload_text
    key, made = _uploaded(plan, place, console)
    parameters = {**plan.parameters, "CodeBucket": place.bucket, "CodeKey": key}
    changed = stacks.change(StackPlan(plan.stack, plan.template, parameters))
    return _report(plan.stack, stacks, console, changed=changed, code=made)


def pairs_of(given: list[str]) -> dict[str, str]:
    """Read `Name=value`."""
    pairs = [text.partition("=") for text in given]
    if any(not name or not separator for name, separator, _ in pairs):
        raise Stop("-p takes Name=value", Exit.WRONG_CALL)
    return {name: value for name, _, value in pairs}


def _check_parameters(template: str, named: Iterable[str], told_by: str) -> None:
    """Refuse a parameter that a template has not, as CloudFormation would, but with what it has.

    Raises:
        Stop: There is one.
    """
    known = templates.parameters_in(template)
    if known is None:
        return
    for name in named:
        if name not in known:
            has = f"has {', '.join(known)}, and no {name}" if known else "has no parameters"
            text = f"{told_by}{name}: the template {has}{did_you_mean(name, known)}"
            raise Stop(text, Exit.WRONG_CALL)


def _uploaded(plan: Plan, place: Artifacts, console: Console) -> tuple[str, build.Zip]:
    with scratch_folder("cfn-once-deploy-") as folder:
        path = os.path.join(folder, "code.zip")
        made = build.build(plan.wanted, path)
        for line in package.figures(made, plan.wanted.target):
            console.line(f"  {line}")
        package.say_what_is_missing(made, plan.wanted.target, console)
        key = f"{plan.stack}/{made.sha256}.zip"
        is_new = place.upload(path, key)
    console.line(f"  s3://{place.bucket}/{key}{'' if is_new else ', as before'}")
    return key, made


def _report(
    name: str, stacks: Stacks, console: Console, *, changed: bool, code: build.Zip | None = None
) -> int:
    outputs = stacks.outputs(name)
    status = stacks.status(name)
    console.line(f"{name}: {console.word(status, is_good=True)}")
    for output, value in outputs.items():
        console.line(f"  {output} = {value}")
    configured: dict[str, Any] = {"stack": name, "status": status, "changed": changed}
    if code is not None:
        configured["code"] = {"size": code.size, "sha256": code.sha256}
    console.result({**configured, "outputs": outputs})
    return Exit.CLEAN


def _asker(*, yes: bool, delete: bool) -> Any:
    def agree(name: str) -> bool:
        if yes:
            return True
        if not sys.stdin.isatty():
            raise Stop(f"nobody is here to agree to the change of {name}: --yes", Exit.WRONG_CALL)
        sys.stderr.write(f"cfn-once: {'delete' if delete else 'change'} {name}? [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    return agree


class _Later:
    """Uploads a template that is too large for a call; only then is a bucket asked for."""

    def __init__(self, aws: Aws, stacks: Stacks, bucket: str) -> None:
        self._aws, self._stacks, self._bucket = aws, stacks, bucket

    def __call__(self, text: str) -> str:
        return artifacts(self._aws, self._stacks, self._bucket).upload_text(text)


def _yours(given: argparse.Namespace, configured: Settings) -> StackPlan:
    """Return the stack of the user's own template; nothing was asked of AWS yet."""
    text, pairs = _text_of(given.template), pairs_of(given.parameter)
    _check_parameters(text, pairs, "-p ")
    parameters = {**_provider_of(text, configured), **pairs}
    return StackPlan(given.stack, text, parameters, given.template)


def _provider_of(text: str, configured: Settings) -> dict[str, str]:
    """Return the provider's stack for a template that asks for it, as those of `new` do."""
    asks = "ProviderStackName" in (templates.parameters_in(text) or ())
    return {"ProviderStackName": configured.stack} if asks and configured.stack else {}


def _text_of(path: str) -> str:
    try:
        with open(path, encoding="utf-8") as file:
            text = file.read()
    except (OSError, ValueError) as error:
        raise Stop(f"--template {path} cannot be read: {error}", Exit.WRONG_CALL) from None
    if not text.strip():
        raise Stop(f"--template {path} is empty", Exit.WRONG_CALL)
    return text
