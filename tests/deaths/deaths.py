"""
See what CloudFormation is told, and when, where a function dies: a table, in Markdown.

    python tests/deaths/deaths.py [--only TEXT] [--framework NAME]
    python tests/deaths/deaths.py --stuck 100

Real are the processes (`awslambdaric`), what they die of, the sockets and the DynamoDB of a
MiniStack. Lambda is played: it waits 1 and 2 seconds between tries, for 1 and 2 minutes, and the
table tells its own waits apart. The run ends with exit status 1 where ours left a stack without an
answer, gave two, made two things or left one behind.
"""

import argparse
import json
import re
import ssl
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from pathlib import Path

import trustme

if __name__ == "__main__":  # run as a program: the folder above is where imports begin
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from deaths import stuck
from deaths.scene import FRAMEWORKS, OURS, PEERS, ROOT, Death, Framework, Scene, World
from deaths.ways import WAYS, Way
from ledger.engines import make_table
from support.ministack import MiniStack

REPORT = ROOT / "build" / "deaths" / "report.json"
TABLE = "deaths"
AT_ONCE = 8  # patient scenes, nearly all of whose time is waiting

CAPTION = """\
Told is what CloudFormation hears of a Create, after is the time from the event to that: what Lambda
waits between its tries (60 and 120 s; here 1 and 2, but for the ledger's row) + all else, cold
starts included; by whom, and what that one took of it. Made and left are objects on the API,
at the end: after the Delete that follows. Ours has a Timeout of 35 s (120 in the ledger's row), a
peer 10 s. Out of memory is SIGKILL at 256 MB. Silence lasts until CloudFormation gives up, after an
hour.
"""


def main() -> int:
    """Play, print, and write the report; returns the exit status."""
    options = _options()
    with _world() as world:
        if options.stuck:
            return 0 if stuck.run(world, options.stuck) else 1
        return _all(world, options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--only", default="", help="ways with this text in their names")
    parser.add_argument("--framework", default="", help="one alone; all unless given")
    parser.add_argument("--stuck", type=int, default=0, help="runs of hooks that get stuck")
    return parser.parse_args()


@contextmanager
def _world() -> Iterator[World]:
    with ExitStack() as world:
        scratch = Path(world.enter_context(tempfile.TemporaryDirectory(prefix="deaths-")))
        aws = world.enter_context(MiniStack())
        yield world_of(aws, TABLE, scratch)


def world_of(aws: MiniStack, table: str, scratch: Path) -> World:
    """Return a world with a ledger on this AWS, in a table of this name."""
    make_table(aws.client("dynamodb"), table)
    authority = trustme.CA()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(tls)
    trusted = scratch / "authority.pem"
    authority.cert_pem.write_to_path(trusted)
    return World(
        tls=tls,
        authority=trusted,
        ledger=f"dynamodb://{table}?region=us-east-1",
        endpoint=aws.url,
        scratch=scratch,
    )


def _all(world: World, options: argparse.Namespace) -> int:
    began = time.monotonic()
    frameworks = [framework for framework in FRAMEWORKS if options.framework in framework.name]
    if not PEERS.exists():
        print("the peers are not run: `make bench` makes their .venv-peers", file=sys.stderr)
        frameworks = [OURS]
    games = [
        (way, framework)
        for way in WAYS
        for framework in frameworks
        if options.only in way.name and (framework.ours or way.peers)
    ]
    deaths = _play(world, games)
    _tell(deaths)
    wrong = [death for death in deaths if death.framework == OURS.name and not death.is_right]
    print(f"\n{len(deaths)} deaths in {time.monotonic() - began:.0f} s")
    for fault in wrong:
        print(f"WRONG: {fault}")
    REPORT.parent.mkdir(parents=True, exist_ok=True)
    REPORT.write_text(json.dumps([asdict(death) for death in deaths], indent=2) + "\n")
    return 1 if wrong or not deaths else 0


def _play(world: World, games: Sequence[tuple[Way, Framework]]) -> list[Death]:
    """Play the patient ones side by side, the one that takes longest from the start on."""

    def play(game: tuple[Way, Framework]) -> Death:
        with Scene(*game, world) as scene:
            death = scene.play()
        print(f"{death.framework}: {death.way}: {death.status or 'nothing'}", file=sys.stderr)
        return death

    longest = [game for game in games if not game[0].ledger]
    patient = [game for game in games if game[0].patient and game not in longest]
    patient.sort(key=lambda game: not game[1].ours)  # they have the longer Timeout
    quick = [game for game in games if not game[0].patient]
    with ThreadPoolExecutor(AT_ONCE + len(longest)) as threads:
        played = {game: threads.submit(play, game) for game in longest}
        results = {game: play(game) for game in quick}
        played |= {game: threads.submit(play, game) for game in patient}
        results |= {pair: future.result() for pair, future in played.items()}
    return [results[game] for game in games]


def _tell(deaths: Sequence[Death]) -> None:
    ours = [death for death in deaths if death.framework == OURS.name]
    print(CAPTION)
    print("| way to die | told | after | by | PhysicalResourceId | made | Delete | left |")
    print("| --- | --- | --- | --- | --- | --: | --- | --: |")
    for our in ours:
        cells = (
            our.way,
            f"{our.status or 'nothing'}: {_short(our.reason)}",
            _after(our),
            f"{our.by}, {our.took:.1f} s",
            _short(our.physical_resource_id),
            our.made,
            f"{our.deleted or 'nothing'}, {our.deleted_by}",
            our.left,
        )
        print(f"| {' | '.join(map(str, cells))} |")
    names = [
        framework.name
        for framework in FRAMEWORKS
        if any(framework.name == death.framework for death in deaths)
    ]
    if names in ([], [OURS.name]):
        return
    print(f"\n| told, after, made / left | {' | '.join(names)} |")
    print(f"| --- |{' --- |' * len(names)}")
    by_name = {(death.way, death.framework): death for death in deaths}
    for way in dict.fromkeys(death.way for death in deaths):
        cells = [_brief(by_name.get((way, name))) for name in names]
        print(f"| {way} | {' | '.join(cells)} |")


def _brief(death: Death | None) -> str:
    if death is None:
        return "-"
    told = f"{death.status}, {_after(death)}" if death.status else "nothing"
    if death.answers > 1:
        told += f", {death.answers} different answers"
    if death.status and not death.physical_resource_id:
        told += ", no id"
    deleted = "" if death.deleted == "SUCCESS" else f"; Delete: {death.deleted or 'nothing'}"
    return f"{told}; {death.made} / {death.left}{deleted}"


def _after(death: Death) -> str:
    if not death.status:
        return "never"
    waited = f"{death.lambda_waited:.0f} + " if death.lambda_waited else ""
    return f"{waited}{death.seconds:.1f} s"


def _short(text: str) -> str:
    """Leave out what differs with each run, and what breaks a table."""
    text = re.sub(r"/tmp/deaths-\w+/\w+/task", "/var/task", text)
    text = re.sub(r"[a-z2-7]{26}", "…", text).replace("|", "¦").replace("\n", " ")
    return text if len(text) < 200 else f"{text[:200]}…"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
