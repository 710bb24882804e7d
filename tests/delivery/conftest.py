"""One deployed provider, one Create, and a host for its answer that misbehaves."""

import json
import traceback
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated

import pytest

from cfn_once import CustomResource, DeliveryError, Provider, Request, Secret
from cfn_once._clock import SYSTEM_CLOCK
from cfn_once._cloudformation.delivery import HttpsDelivery
from cfn_once._cloudformation.response import with_ids
from cfn_once.ledger import MemoryStore
from support.requests_of_cloudformation import (
    CREDENTIAL,
    PASSWORD,
    SIGNATURE,
    nothing_logged_of,
    recorded,
    target,
)

SECRETS = (SIGNATURE, CREDENTIAL, "X-Amz-", "%7CGroup%7C", "|Group|", PASSWORD)


@dataclass(frozen=True)
class Wanted:
    Name: str
    Password: Annotated[str, Secret]


class Deployed:
    """A provider of one type, its ledger, and the Create that CloudFormation sends to it.

    Args:
        host: Where the answer goes.
        hook: What `create` does once the thing is made; returns its attributes.
        set_id: Whether the hook sets an id of its own.
        hosts: Those that answers may go to; the host's, unless given.
        delivery: Options of the real delivery besides.
    """

    def __init__(
        self,
        host,
        hook=lambda resource: {},
        *,
        clock=SYSTEM_CLOCK,
        read=0.5,
        hosts=(),
        **delivery,
    ):
        self.host, self.clock, self.made, self.ledger = host, clock, [], MemoryStore()
        make = self.made.append

        class Thing(CustomResource[Wanted, dict]):
            resource_type = "Custom::elastigroup"
            delete = None

            def create(self):
                self.step("thing", lambda step: make(step.token))
                self.physical_resource_id = "thing-1"
                return hook(self)

        self.event = recorded("create")
        self.event["ResourceProperties"] = {"Name": "shop", "Password": PASSWORD}
        self.event["ResponseURL"] = host.url + target(self.event, clock.now())
        self.thing = Thing
        self.key = "r" + Request.from_event(self.event).correlation_id
        self.delivery = HttpsDelivery(hosts=hosts or [host.name], read=read, **delivery)
        provider = Provider(Thing, ledger=self.ledger)
        self.provider = provider.using(delivery=self.delivery, clock=clock)

    def deliver(self):
        """Let Lambda deliver the event once, with 31 seconds for it."""
        self.provider(self.event, SimpleNamespace(get_remaining_time_in_millis=lambda: 31_000))

    def fail_to_deliver(self):
        """Deliver it to a host that takes no answer, and return what is raised."""
        with pytest.raises(DeliveryError) as raised:
            self.deliver()
        told = "".join(traceback.format_exception(raised.value))

        assert not [secret for secret in SECRETS if secret in told]
        return raised.value

    @property
    def recorded(self):
        """The bytes that the ledger holds to be told."""
        return with_ids(Request.from_event(self.event), self.ledger.read(self.key).response)

    @property
    def bodies(self):
        """What the host was sent, in order."""
        return [request.body for request in self.host.received]

    @property
    def answer(self):
        """What the host was sent, which must have been one thing only."""
        assert 1 == len(set(self.bodies)), "one request, two answers"
        return json.loads(self.bodies[0])


@pytest.fixture
def deploy():
    """Deploy a provider whose answers go to a host."""
    return Deployed


@pytest.fixture(autouse=True)
def nothing_secret_is_logged(caplog):
    """
    No logger, urllib3's included, says anything that would let its reader answer for us.
    """
    with nothing_logged_of(SECRETS, caplog):
        yield
