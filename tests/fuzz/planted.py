"""Leaks of each kind, planted where the product might have them, to see that they are found."""

import json
import logging
import random
import sys
from types import SimpleNamespace
from typing import Any

from cfn_once import InvalidRequest
from cfn_once._observability.logs import print_json
from fuzz import rig as rigs
from fuzz import urls

ANSWER = {"Status": "FAILED", "Reason": "no", "PhysicalResourceId": "id"}


class Leaking(rigs.Rig):
    """Hands events to something that leaks, in place of a provider."""

    leak = ""

    def by_provider(self, event: Any) -> Any:
        print_json()  # as each provider does
        match self.leak:
            case "log":
                logging.getLogger("cfn_once").debug("login with %s", rigs.PASSWORD)
            case "print":
                print("DEBUG", rigs.OLD_PASSWORD)
            case "warning of urllib3":
                url = f"PUT /key?X-Amz-Signature={urls.SIGNATURE}"
                logging.getLogger("urllib3.connectionpool").warning(url)
            case "exception":
                raise InvalidRequest(f"login with {rigs.TOKEN}")
            case "cause":
                raise InvalidRequest("no login") from ValueError(rigs.TOKEN)
            case "other exception":
                raise KeyError("Name")
            case "answer":
                self._answer(Reason=f"login with {rigs.PASSWORD}")
            case "long answer":
                self._answer(Reason="x" * 4096)
            case "ledger":
                self.store._texts["r1", "H"] = f'{{"p": "{rigs.PASSWORD}"}}'
            case "another host":
                self._answer(url="https://evil.example/key")

    def _answer(self, url: str = "", **parts: str) -> None:
        asked = urls.asked(random.Random(1))
        request = SimpleNamespace(
            stack_id=asked.stack_id,
            logical_resource_id=asked.logical_id,
            request_id=asked.request_id,
            response_url=url or asked.url.replace(".c2s.ic.gov", ".amazonaws.com"),
        )
        self.bucket.put(request, json.dumps({**ANSWER, **parts}).encode(), None)


LEAKS = {
    "log": "secret in stream",
    "print": "secret in stream",
    "warning of urllib3": "secret in stream",
    "exception": "secret in exception",
    "cause": "secret in exception",
    "other exception": "unexpected",
    "answer": "secret in answer",
    "long answer": "too large",
    "ledger": "secret in ledger",
    "another host": "sent elsewhere",
}


def main(in_lambda: bool) -> None:
    """Plant one after the other, and print the kinds of what is found of each."""
    console, found = sys.stdout, {}
    figures = rigs.Figures()
    rig = Leaking(figures, in_lambda=in_lambda)
    for leak in LEAKS:
        rig.leak = leak
        rig.renew()
        rig.watch("provider", leak, {})
        rig.end_batch(leak)
        found[leak] = [finding.kind for finding in figures.findings]
        figures.findings.clear()
    rig.close()
    console.write(json.dumps(found))
