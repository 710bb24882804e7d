"""Requests as CloudFormation sends them: recorded shapes, addressed to where a test listens."""

import json
import time
from pathlib import Path
from typing import Any

EVENTS = Path(__file__).resolve().parents[1] / "events"
HOST = "https://cloudformation-custom-resource-response-eucentral1.s3.eu-central-1.amazonaws.com"
SIGNATURE = "5196a7e5bd5b3aa56e5d3d0e1e7f5d0c"
CREDENTIAL = "AKIAIOSFODNN7EXAMPLE"


def recorded(name: str) -> Any:
    """Return one of the recorded shapes of tests/events."""
    return json.loads((EVENTS / f"{name}.json").read_text(encoding="utf-8"))


def target(event: Any, now: float) -> str:
    """Return the path and query of a pre-signed URL, as CloudFormation makes it."""
    key = f"{event['StackId']}|{event['LogicalResourceId']}|{event['RequestId']}"
    signed = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    return (
        f"/{key.replace(':', '%3A').replace('|', '%7C')}?X-Amz-Algorithm=AWS4-HMAC-SHA256"
        f"&X-Amz-Date={signed}&X-Amz-SignedHeaders=host&X-Amz-Expires=7200"
        f"&X-Amz-Credential={CREDENTIAL}%2Fs3%2Faws4_request&X-Amz-Signature={SIGNATURE}"
    )
