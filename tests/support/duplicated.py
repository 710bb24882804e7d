"""A log of cfn-once with a duplicate of each kind, as `cfn-once diagnose` tells them apart."""

from cfn_once import CustomResource, Provider
from cfn_once.ledger import MemoryStore
from cfn_once.testing import VirtualClock, create_event
from support.lambda_log import BEGINS, LambdaLog, lambdas
from support.taken import Taken


class Thing(CustomResource[dict, dict]):
    """Makes a thing of an API that takes no token."""

    def create(self):
        self.step("thing", lambda step: "thing-1", once=True)
        return {"Id": "thing-1"}

    def delete(self):
        pass


def three_kinds():
    """Return a log with three requests that came once, and one that came again of each kind."""
    log, clock = LambdaLog(), VirtualClock(float(BEGINS))
    serve = Provider(Thing, ledger=MemoryStore()).using(delivery=Taken(), clock=clock)
    for n in range(3):
        log.invoke(serve, _event(f"Once{n}", n), lambdas(n))
    died, twice, sent = (
        _event(name, n) for n, name in enumerate(("Orders", "Customers", "Invoices"), 10)
    )
    log.invoke(None, died, lambdas(10), ends="timeout")
    log.invoke(serve, died, lambdas(10), after=60)
    log.invoke(serve, twice, lambdas(11))
    log.invoke(serve, twice, lambdas(11), after=600)
    log.invoke(serve, sent, lambdas(12))
    log.invoke(serve, sent, lambdas(13), after=1)
    return log


def _event(name, n):
    return create_event(
        name, {}, resource_type="Custom::Thing", request_id=f"r-{n}", now=float(BEGINS)
    )
