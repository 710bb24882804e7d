"""Batches of fuzzed events, each drawn from its own seed: the same one is the same batch."""

import json
import os
import random
import time
from pathlib import Path
from typing import Any

from cfn_once.testing import on_failure_event, sns_event, sqs_event
from fuzz import urls
from fuzz.mutations import deep, mutated
from fuzz.providers import MODES
from fuzz.rig import OLD_PASSWORD, PASSWORD, Rig

EVENTS = Path(__file__).resolve().parents[1] / "events"
RECORDED = [
    json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))
    for name in ("create", "update", "delete", "delete_of_cancelled_create")
]
BATCH = 40  # events
ENTRIES = (
    *("fuzz.providers:provider",) * 3,
    *("fuzz.broken_provider:provider",) * 2,
    *("fuzz.providers:nothing", "no_such_module:provider", "no colon", ""),
)
FIXED = frozenset({"Password"})  # a secret that moves elsewhere is none any more
GOES_WRONG = 0.85  # so many events are mutated; the rest is history for them


class Batch:
    """Events that share a ledger.

    Args:
        route: `provider`, `queue`, `entry` or `guardian`.
        name: What its seed is made of.
    """

    def __init__(self, rig: Rig, route: str, name: str) -> None:
        self._rig, self._route, self.name = rig, route, name
        self._chance = random.Random(name)
        self._asked = [urls.asked(self._chance) for _ in range(6)]
        self._ids = ["sig-12345678", "shop-Group-1A2B3C4D5E6F"]

    def run(self) -> None:
        rig, chance = self._rig, self._chance
        rig.renew()
        os.environ["CFN_ONCE_PROVIDER"] = chance.choice(ENTRIES)
        done = 0
        while done < BATCH:
            rig.clock.advance(chance.choice((0, 0, 1, 30, 400)))
            sent, messages = self._sent()
            rig.watch(self._route, f"{self.name}:{done}", sent, messages)
            done += messages
        rig.end_batch(self.name)

    def _sent(self) -> tuple[Any, int]:
        """Return what is handed over, and how many events are in it."""
        chance = self._chance
        if self._route == "queue":
            return self._queued()
        if self._route != "guardian":
            return self._event(), 1
        condition = chance.choice(("RetriesExhausted", "EventAgeExceeded", "Other"))
        event = self._event()
        if not isinstance(event, dict) or "RequestId" not in event:
            event = {"RequestId": "x", "was": event}
        record = on_failure_event(event, condition)
        if chance.random() < 0.3:
            record = sqs_event(event, raw=chance.random() < 0.7)
        return self._perhaps(record, 0.4), 1

    def _queued(self) -> tuple[Any, int]:
        chance = self._chance
        if chance.random() < 0.25:
            event = self._event()
            if isinstance(event, dict) and "RequestId" in event:
                return self._perhaps(sns_event(event), 0.5), 1
        events = [self._event() for _ in range(chance.choice((1, 2, 3, 5)))]
        batch = sqs_event(*events, raw=True)
        for record, event in zip(batch["Records"], events, strict=True):
            if isinstance(event, dict) and "RequestId" in event and chance.random() < 0.4:
                record["body"] = sqs_event(event)["Records"][0]["body"]
            elif chance.random() < 0.05:
                record["body"] = chance.choice(
                    ("", "{", "[" * 5000, "null", '"x"', "NaN", "\ud800")
                )
        return self._perhaps(batch, 0.3), len(events)

    def _perhaps(self, value: Any, probability: float) -> Any:
        is_fuzzed = self._chance.random() < probability
        return mutated(value, self._chance, FIXED) if is_fuzzed else value

    def _event(self) -> Any:
        chance = self._chance
        event = self._sound_event()
        if chance.random() < 0.15 and self._route in ("provider", "queue"):
            event["ResponseURL"] = urls.mutated(event["ResponseURL"], chance)
        if chance.random() < 0.02:
            event["CfnOnceDue"] = chance.choice((0, 1e300, 1_800_000_100, "1", None, -1))
        if chance.random() < 0.4:  # whoever mutates all of it seldom gets to a hook
            properties = event["ResourceProperties"]
            event["ResourceProperties"] = self._perhaps(properties, GOES_WRONG)
            return event
        return self._perhaps(event, GOES_WRONG)

    def _sound_event(self) -> dict[str, Any]:
        """Return a request as CloudFormation would send it to the provider that is fuzzed."""
        chance, asked = self._chance, self._chance.choice(self._asked)
        event = {
            **chance.choice(RECORDED),
            "StackId": asked.stack_id,
            "RequestId": asked.request_id,
        }
        event |= {
            "LogicalResourceId": asked.logical_id,
            "ResponseURL": self._url(asked),
            "ResourceProperties": self._properties(PASSWORD),
        }
        if event["RequestType"] == "Update":
            event["OldResourceProperties"] = self._properties(OLD_PASSWORD)
        if event["RequestType"] != "Create":
            event["PhysicalResourceId"] = chance.choice((*self._ids, f"id-{chance.randrange(4)}"))
        return event

    def _url(self, asked: urls.Asked) -> str:
        """Return where the answer goes, signed about now: by our clock, or by the real one."""
        chance, now = self._chance, self._rig.clock.now()
        if self._route == "entry" and chance.random() < 0.5:
            now = time.time()
        at = now + chance.choice((-7200, -3700, -400, -2, -1, 0, 0, 0, 50, 90))
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(at))
        url = asked.url.replace("20270115T080000Z", date)
        if self._route in ("guardian", "entry") and chance.random() < 0.9:
            return f"{self._rig.host}/{url.partition('//')[2].partition('/')[2]}"
        return url

    def _properties(self, password: str) -> dict[str, Any]:
        chance = self._chance
        properties = {
            "ServiceToken": "arn:aws:lambda:us-east-1:123456789012:function:provider",
            "Name": chance.choice(("shop", "mail")),
            "Size": str(chance.randrange(4)),
            "Tags": {"team": "a"},
            "Password": password,
            "Mode": chance.choice(MODES),
        }
        if chance.random() < 0.02:
            properties["Tags"] = deep(chance.choice((50, 400)))
        return properties


def check_urls(rig: Rig, name: str, number: int) -> None:
    """Ask of so many URLs whether an answer may go there, and compare it with the oracle."""
    chance = random.Random(name)
    for place in range(number):
        sound = urls.asked(chance)
        is_sound = place % 10 == 0
        tried = sound if is_sound else sound._replace(url=urls.mutated(sound.url, chance))
        accepted, own = urls.is_accepted(tried), urls.is_own(tried)
        rig.figures.urls += 1
        rig.figures.accepted += accepted
        if accepted and not own:
            rig.find("accepted", f"{name}:{place}", f"{tried.url!r} for {tried.stack_id}")
        if is_sound and not accepted:
            rig.find("refused", f"{name}:{place}", f"{tried.url!r}, CloudFormation's own")
