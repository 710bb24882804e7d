"""
One provider through the month, or through its share of the stacks, in a process of its own.

    stdin     one line: which provider, which plan, which share of it, where its files go
    stdout    a line now and then: how far it is; the last one: what came of it
    SIGTERM   it stops between two deliveries, having written where it stands; SIGINT as well

Where it stands is written at the end of each day as well. A ledger, though, is of this moment and
not of the day's end: after a death in between, a provider that has one begins anew.
"""

import importlib
import json
import os
import shutil
import signal
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from ._external_api import ExternalApi
from ._logs import FUNCTION, Logs
from ._plan import START, Delivery, Event, Plan

TELL = 0.5  # seconds between two lines
STOPPED = 3  # the exit status of one that was told to stop
COUNTED = (
    "position",
    "seconds",
    "cpu",
    "suppressed",
    "silent",
    "days",
    "held",
    "story",
    "checksum",
)
LOGGING = ("cfn_once",)  # they write the log that is asked for
REMEMBERING = ("cfn_once", "powertools")  # they keep a file beside ours


class Worker:
    """A provider, the external API that it calls, and what was counted.

    Attributes:
        position: How many deliveries are done.
        seconds: How long they took, all runs together.
        cpu: How much of a processor they took: what else runs on the machine is not in it.
        suppressed: Deliveries of an event that had been delivered, and that made no group.
        story: What came of the first event that was delivered twice, as rows.
        logs: Where the log goes; None where none is asked for.
        checksum: Of every delivery, whatever the order: providers that got the same have the same.
    """

    def __init__(
        self, name: str, plan: Plan, folder: Path, share: int, shares: int, *, logs: bool = False
    ) -> None:
        self.name, self.plan, self._folder = name, plan, folder
        self._share, self._shares = share, shares
        self._kept = folder / "checkpoint.json"
        self._has_logs, self.logs = logs and name in LOGGING, None
        self.external_api, self.stopped = ExternalApi(share, shares), False
        self.position, self.suppressed, self.silent = 0, 0, 0
        self.seconds, self.cpu = 0.0, 0.0
        self.days: dict[str, dict[str, int]] = {}
        self.held: dict[str, str] = {}
        self.story: list[dict[str, Any]] = []
        self.checksum = 0
        self._told_of = next(iter(plan.copies), None)
        self._told = self._began = self._burnt = 0.0

    def take_up(self) -> None:
        """Go on where an earlier run stopped, or begin with nothing."""
        kept, logged = self._read(), 0
        if kept is None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder.mkdir(parents=True)
        else:
            self.external_api.restore(kept.pop("external_api"))
            for part in ("plan", "running"):
                del kept[part]
            logged = kept.pop("logged")
            vars(self).update(kept)
        if self._has_logs:
            os.environ["AWS_LAMBDA_FUNCTION_NAME"] = FUNCTION  # as in Lambda, it prints metrics
            self.logs = Logs(self._folder / "logs.jsonl", self.plan, self._share, at=logged)

    def _read(self) -> dict[str, Any] | None:
        if not self._kept.exists():
            return None
        kept: dict[str, Any] = json.loads(self._kept.read_text())
        torn = kept["running"] and self.name in REMEMBERING
        if torn:
            print(f"{self.name} died at its work: it begins anew", file=sys.stderr)
        # A run without a log may have gone before, whose lines nobody has.
        unlogged = self._has_logs and kept["position"] and not kept["logged"]
        return None if torn or unlogged or kept["plan"] != self.plan.to_json() else kept

    def keep(self, *, running: bool) -> None:
        """Write where it stands."""
        began, burnt = self._began, self._burnt
        self._began, self._burnt = time.perf_counter(), time.process_time()
        self.seconds += self._began - began
        self.cpu += self._burnt - burnt
        kept = {name: getattr(self, name) for name in COUNTED}
        kept |= {
            "plan": self.plan.to_json(),
            "running": running,
            "logged": self.logs.position() if self.logs else 0,
            "external_api": self.external_api.to_json(),
        }
        new = self._kept.with_suffix(".new")
        new.write_text(json.dumps(kept))
        os.replace(new, self._kept)

    def run(self) -> bool:
        """Deliver what is left; False where it was told to stop before the end."""
        make = importlib.import_module(f"._{self.name}", __package__).provider
        self.external_api.now = START
        self._began, self._burnt = time.perf_counter(), time.process_time()
        deliver, day = make(self.external_api, self._folder), -1
        self.keep(running=True)
        for position, delivery in enumerate(self._deliveries()):
            if position < self.position:
                continue
            if self.stopped:
                break
            if day not in (-1, delivery.day):
                self.keep(running=True)
            day = delivery.day
            self._deliver(deliver, delivery)
            self.position = position + 1
            self._tell()
        self.keep(running=False)
        return not self.stopped

    def _deliveries(self) -> Iterator[Delivery]:
        share, shares = self._share, self._shares
        return (delivery for delivery in self.plan.deliveries() if delivery.stack % shares == share)

    def _deliver(self, deliver: Any, delivery: Delivery) -> None:
        stack = str(delivery.stack)
        event = self.plan.event(delivery, self.held.get(stack, ""))
        self.external_api.now, made = delivery.at, self.external_api.made
        self.checksum += zlib.crc32(f"{delivery.at} {event['RequestId']}".encode())
        with self.logs.delivery(delivery) if self.logs else nullcontext() as context:
            answer = deliver(event, context) if context else deliver(event)
        made = self.external_api.made - made
        first = delivery.copy == 0
        if (answer is None and first) or (answer and answer["Status"] != "SUCCESS"):
            raise RuntimeError(f"{self.name}: {delivery} came to {answer}")
        if delivery.request_type == "Delete":
            del self.held[stack]
        else:
            if first:
                self.held[stack] = answer["PhysicalResourceId"]
            self._count(delivery, made)
        self.silent += answer is None
        self._tell_story(delivery, event, made, answer)

    def _count(self, delivery: Delivery, made: int) -> None:
        day = self.days.setdefault(
            str(delivery.day), {"creates": 0, "duplicates": 0, "made": 0, "suppressed": 0}
        )
        day["duplicates" if delivery.copy else "creates"] += 1
        day["made"] += made
        if delivery.copy and not made:
            day["suppressed"] += 1
            self.suppressed += 1

    def _tell_story(
        self, delivery: Delivery, event: Event, made: int, answer: dict[str, Any] | None
    ) -> None:
        if delivery.stack == self._told_of:
            self.story.append(
                {
                    **delivery._asdict(),
                    "request_id": event["RequestId"],
                    "made": made,
                    "there": self.external_api.named(event["ResourceProperties"]["Name"]),
                    "answer": None if answer is None else answer["PhysicalResourceId"],
                }
            )

    def _tell(self) -> None:
        now = time.perf_counter()
        if now - self._told >= TELL:
            self._told = now
            _say(position=self.position)

    def result(self) -> dict[str, Any]:
        """Return what came of it, groups that are left being there to the month's end."""
        external_api, end = self.external_api, self.plan.end
        left = sum(end - made for made in external_api.live.values())
        return {
            "objects_created": external_api.made,
            "objects_left": len(external_api.live),
            "duplicates_suppressed": self.suppressed,
            "seconds": self.seconds,
            "cpu_seconds": self.cpu,
            "deliveries": self.position,
            "deliveries_without_answer": self.silent,
            "object_hours": (external_api.seconds + left) / 3600,
            "object_hours_left": left / 3600,
            "days": self.days,
            "story": self.story,
            "checksum": self.checksum,
        }


def _say(**told: Any) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


def main() -> int:
    """Do as the line on stdin says."""
    asked = json.loads(sys.stdin.readline())
    folder, plan = Path(asked["folder"]), Plan(**asked["plan"])
    share, shares, logs = asked["share"], asked["shares"], asked.get("logs", False)
    worker = Worker(asked["provider"], plan, folder, share, shares, logs=logs)

    def stop(*_: Any) -> None:
        worker.stopped = True

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    worker.take_up()
    _say(position=worker.position)
    try:
        done = worker.run()
    except BrokenPipeError:  # whoever started us is gone
        worker.keep(running=False)
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return STOPPED
    if not done:
        return STOPPED
    _say(position=worker.position, result=worker.result())
    return 0


if __name__ == "__main__":
    sys.exit(main())
