"""A ServiceTimeout that is shorter than the function's Timeout is warned of, once."""

import logging

import pytest

from cfn_once import CustomResource, Provider
from cfn_once.testing import LambdaContext, VirtualClock, create_event
from support.taken import Taken


class Thing(CustomResource[dict, dict]):
    resource_type = "Custom::Resource"

    def create(self):
        return {}

    def delete(self):
        pass


@pytest.fixture
def warned(caplog):
    """Send Creates with these ServiceTimeouts to one process; return what it warns of."""

    def warned(*timeouts, context=True, runs=120):
        clock = VirtualClock()
        provider = Provider(Thing, ledger="memory://").using(delivery=Taken(), clock=clock)
        for number, timeout in enumerate(timeouts):
            properties = {} if timeout is None else {"ServiceTimeout": timeout}
            event = create_event(f"R{number}", properties, now=clock.now())
            provider(event, LambdaContext(timeout=runs, now=clock.now) if context else None)
        return [
            record.getMessage()
            for record in caplog.records
            if record.levelno == logging.WARNING and "ServiceTimeout" in record.getMessage()
        ]

    return warned


def test_shorter(warned):
    """
    The first event of a process warns, with both numbers and what to set.
    """
    [line] = warned(None, 60, 60, 30)

    assert line.startswith("Create of R1 (Custom::Resource)")
    assert "waits 60 s" in line
    assert "may run for 120 s" in line


def test_a_function_of_an_hour_and_a_half(warned):
    """
    Lambda's longest Timeout is above CloudFormation's longest patience.
    """
    assert 1 == len(warned(None, runs=5400))


@pytest.mark.parametrize("timeouts", [(120,), (600, None), ()])
def test_long_enough(warned, timeouts):
    """
    One that is as long as the function's Timeout is not warned of.
    """
    assert [] == warned(*timeouts)


def test_off_lambda(warned):
    """
    Where nothing ends the function there is no Timeout to compare it with.
    """
    assert [] == warned(60, context=False)
