"""What stands around an untouched provider in the demo: counts its deliveries, and kills one."""

import json
import os
import urllib.request
from pathlib import Path

from requests.adapters import HTTPAdapter

SETTINGS = json.loads(Path(__file__).with_name("settings.json").read_text())
os.environ["SPOT_API_URL"] = SETTINGS["spot_api"]

from provider import provider  # noqa: E402 - it may read its environment at import

at_work = {"request_id": ""}  # an execution environment works on one event at a time
send = HTTPAdapter.send


def handler(event, context):
    at_work["request_id"] = event["RequestId"]
    tell("/started")
    provider(event, context)
    tell("/ended")


def send_and_perhaps_die(adapter, request, **options):
    response = send(adapter, request, **options)
    if request.method == "POST" and tell("/sent")["dies"]:
        os._exit(1)  # the group is made, and nobody has been told
    return response


HTTPAdapter.send = send_and_perhaps_die


def tell(path):
    asked = urllib.request.Request(
        SETTINGS["response_host"] + path,
        json.dumps(at_work).encode(),
        method="POST",
    )
    with urllib.request.urlopen(asked) as answer:
        return json.load(answer)
