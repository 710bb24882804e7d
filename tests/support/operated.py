"""A ledger as an operator finds it at 2 a.m.: a resource in each state, in the stack `shop`."""

import json
import time
from contextlib import suppress

from cfn_once import CustomResource, Provider, Request
from cfn_once.cli.lookup import key_of
from cfn_once.ledger.sqlite import SQLiteStore
from cfn_once.ledger.store import Absent, Write
from cfn_once.testing import Crashed, FakeCloudFormation, VirtualClock
from ledger.told import a_head, an_operation

SECRET = "hunter2-and-more"
CRASHES = {"crash_after": "thing"}


class Api(list):
    """An API that cannot be looked up and takes no token: the things that it has."""

    token = None  # of the newest one's step

    def make(self, token):
        self.append(f"thing-{len(self) + 1}")
        self.token = token
        return self[-1]


class Thing(CustomResource[dict, dict]):
    """Makes a thing of that API."""

    api = Api()

    def create(self):
        self.physical_resource_id = self.step("thing", self.make, once=True)
        return {"Key": SECRET}

    def make(self, step):
        return self.api.make(step.token)

    def update(self):
        self.step("change", lambda step: SECRET, once=True)
        return {"Key": SECRET}

    def delete(self):
        if self.physical_resource_id in self.api:
            self.api.remove(self.physical_resource_id)


def stack(path, *, minutes=10, name="shop", unresolved=None, store=None, served=None, **options):
    """Return a stack `shop` whose ledger is a file, unless a store is given.

    Its clock is some minutes behind.
    """
    served = served or Thing
    own = {"api": Api(), "unresolved": unresolved or served.unresolved}
    served = type("Thing", (served,), {**own, "resource_type": "Custom::Thing"})
    clock = VirtualClock(float(int(time.time() - minutes * 60)))
    store = store or SQLiteStore(path, synchronous="NORMAL")
    cloudformation = FakeCloudFormation(
        Provider(served), ledger=store, clock=clock, stack_name=name, **options
    )
    cloudformation.api = served.api
    return cloudformation


def dies(cloudformation, logical_id, properties=None):
    """Let the delivery of a Create die behind its call, and return its event."""
    event = cloudformation.event("Create", logical_id, properties or {})
    crashes(cloudformation, event)
    return event


def crashes(cloudformation, event):
    """Deliver an event, and let its process die behind its call."""
    with suppress(Crashed):
        cloudformation.send(event, **CRASHES)


def doubts(cloudformation, logical_id):
    """Let a Create die behind its call, and its second delivery answer that it is in doubt."""
    event = dies(cloudformation, logical_id)
    cloudformation.deliver(event)
    return event


def at_work(cloudformation, logical_id, **operation):
    """Write the head of a resource that an execution holds, or as it says otherwise."""
    now = int(time.time() * 1000)
    kept = {"typ": "Create", "st": "RUNNING", "lu": now + 90_000, "inv": "lambda-1", "beg": now}
    change = a_head(
        stk=cloudformation.stack_id,
        lid=logical_id,
        rt="Custom::Thing",
        op=an_operation(**{**kept, **operation}),
    )
    key = key_of(cloudformation.stack_id, logical_id)
    assert cloudformation.ledger.write(key, Write(Absent(("v",)), change)).applied


def to_host(event, host, at):
    """Return an event whose answer goes to a host, signed then."""
    key = "|".join(event[name] for name in ("StackId", "LogicalResourceId", "RequestId"))
    return {**event, "ResponseURL": host.sign(key, at)}


def few(path, folder, host):
    """Make the ledger that the page of the command tells of, and an event of it."""
    shop = stack(path)
    shop.create("Orders")
    doubts(shop, "Customers")
    at = shop.clock.now()
    event = dies(shop, "Invoices")
    (folder / "invoices.json").write_text(json.dumps(to_host(event, host, at)))


def night(path, folder, host):
    """Make the ledger of a bad night, and the events that lie in queues."""
    bank = stack(path, minutes=60, name="bank", unresolved="fail")
    event = doubts(bank, "Payments")
    deletes(bank, event)
    shop = stack(path)
    for name in ("Addresses", "Labels", "Orders"):
        shop.create(name)
    doubts(shop, "Customers")
    at = shop.clock.now()
    events = {"invoices": to_host(dies(shop, "Invoices"), host, at)}
    shop.create("Exports")
    update = shop.event("Update", "Exports", {"A": "2"}, physical_resource_id=shop.api[-1])
    with suppress(Crashed):
        shop.send(update, crash_after="change")
    shop.deliver(update)
    deletes(shop, update)
    at = shop.clock.now()
    delete = shop.event("Delete", "Addresses", physical_resource_id=shop.api[0])
    events["addresses"] = to_host(delete, host, at)
    events["reports"] = to_host(shop.event("Create", "Reports", {}), host, at)
    request, past = Request.from_event(events["reports"]), int(time.time() * 1000) - 300_000
    asked = {"rid": request.request_id, "pfp": request.properties_fingerprint}
    waits = {"st": "PARKED", "due": past, "lu": past, "iss": request.issued_at, "beg": past}
    at_work(shop, "Reports", **asked, **waits)
    for name, kept in events.items():
        (folder / f"{name}.json").write_text(json.dumps(kept))


def deletes(cloudformation, event):
    """Send the Delete that follows a request that failed, and return its answer."""
    answer = cloudformation.answers[-1][1]
    delete = cloudformation.event(
        "Delete", event["LogicalResourceId"], physical_resource_id=answer.physical_resource_id
    )
    return cloudformation.deliver(delete)
