"""
A function whose every hook meets secrets, in a process that logs and traces all it can.

Events come in as JSON, one a line; what is raised to Lambda is printed, as Lambda does.
"""

import json
import logging
import os
import sys
import traceback
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Annotated

import boto3
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

from cfn_once import CustomResource, PermanentError, Provider, Secret, TemporaryError
from cfn_once.testing import LambdaContext

API = os.environ["API"]


@dataclass(frozen=True)
class User:
    Name: str
    Token: Annotated[str, Secret] = ""


@dataclass(frozen=True)
class Properties:
    Fails: str = ""
    Text: Annotated[str, Secret] = ""
    Lines: Annotated[str, Secret] = ""
    Number: Annotated[int, Secret] = 0
    Price: Annotated[Decimal, Secret] = Decimal(0)
    Key: Annotated[bytes, Secret] = b""
    Users: list[User] = field(default_factory=list)
    Codes: Annotated[list[str], Secret] = field(default_factory=list)
    Named: dict[str, Annotated[str, Secret]] = field(default_factory=dict)
    Maybe: Annotated[str, Secret] | None = None


class Thing(CustomResource[Properties, dict]):
    no_echo = True

    def create(self):
        self.mask(os.environ["READ"])
        print(self.properties, self.request)
        self.log.info("as %s, raw %s", self.properties, self.raw_properties)
        logging.getLogger("of.somebody").debug("sent", extra={"sent": self.raw_properties})
        self.http.headers["Authorization"] = f"Bearer {self.properties.Text}"
        made = self.step("make", lambda step: {"id": f"thing-of-{os.environ['READ']}"})
        self.step("secret", lambda step: os.environ["RESULT"], secret=True, repeat=True)
        self.http.get(f"{API}/read", params={"key": self.properties.Text})
        self.http.post(f"{API}/make", json=dict(self.raw_properties))
        getattr(self, f"fail_{self.properties.Fails or 'not'}")()
        return {"Password": os.environ["ANSWER"], "Id": made["id"]}

    def fail_not(self):
        pass

    def fail_api(self):
        self.http.post(f"{API}/refuse", json=dict(self.raw_properties))

    def fail_doubt(self):
        self.step("mail", self.refuse_unsure, once=True)

    def fail_step(self):
        self.step("mail", self.refuse)

    def fail_code(self):
        raise ValueError(json.dumps({"sent": json.dumps(dict(self.raw_properties))}))

    def fail_aws(self):
        self.client("sqs", endpoint_url=API).send_message(
            QueueUrl=f"{API}/queue", MessageBody=json.dumps(dict(self.raw_properties))
        )

    def fail_later(self):
        try:
            self.fail_code()
        except ValueError as error:
            raise TemporaryError(repr(self.properties) + str(error)) from error

    def fail_waiting(self):
        self.wait(700)

    def refuse(self, step):
        raise PermanentError(f"no {self.properties} {self.raw_properties} {os.environ['READ']}")

    def refuse_unsure(self, step):
        raise ConnectionError(
            f"no {self.properties.Key!r} {self.properties.Price} {self.raw_properties}"
        )

    def delete(self):
        self.log.info("of %s, %r", self.partial, self.properties)


tracing = TracerProvider()
tracing.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter()))
trace.set_tracer_provider(tracing)
boto3.set_stream_logger("")
logging.basicConfig(level=logging.DEBUG, force=True)
provider = Provider(Thing)

for line in sys.stdin:
    try:
        provider(json.loads(line), LambdaContext(timeout=60))
    except Exception:
        traceback.print_exc()
    print("handled", flush=True)
