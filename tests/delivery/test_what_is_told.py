"""What hooks return and raise, and what of it reaches CloudFormation: at most 4,096 bytes."""

import json
import logging
import re
import sys
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from cfn_once import InvalidProperties
from support.requests_of_cloudformation import PASSWORD


class Timeout(BaseException):
    """As gevent's is: no `except Exception` sees it."""


LIMIT, NO_ECHO = 4096, len(',"NoEcho":true')


def raising(error):
    def hook(resource):
        raise error

    return hook


def told(start, deploy, hook):
    host = start()
    deployed = deploy(host, hook)
    deployed.deliver()

    assert 1 == len(host.received)
    assert 1 == len(deployed.made)
    assert deployed.bodies[0] == deployed.recorded
    assert PASSWORD not in str(vars(deployed.ledger))
    return deployed.answer, deployed.bodies[0]


def filled_up_to(size, start, deploy):
    """Return attributes that make a body of this many bytes."""
    _, body = told(start, deploy, lambda resource: {"Text": ""})
    return {"Text": "€" + "x" * (size - len(body) - len("€".encode()))}


def test_the_longest_body_is_told(start, deploy):
    """
    The limit is inclusive, and counted in bytes: "€" is three. It leaves room for NoEcho, which a
    later version of the class may turn on.
    """
    attributes = filled_up_to(LIMIT - NO_ECHO, start, deploy)

    answer, body = told(start, deploy, lambda resource: attributes)

    assert LIMIT - NO_ECHO == len(body)
    assert "SUCCESS" == answer["Status"]
    assert attributes == answer["Data"]


def test_a_body_that_is_a_byte_longer_is_not(start, deploy):
    """
    One byte more is FAILED, with the id kept, or CloudFormation would lose it with the answer.
    """
    attributes = filled_up_to(LIMIT - NO_ECHO + 1, start, deploy)

    answer, body = told(start, deploy, lambda resource: attributes)

    assert len(body) < 1000
    assert ("FAILED", "thing-1") == (answer["Status"], answer["PhysicalResourceId"])
    assert (
        "4083 bytes long and CloudFormation takes 4096, 14 of them kept free for NoEcho"
        in answer["Reason"]
    )


def test_attributes_of_6000_bytes(start, deploy):
    """
    What does not fit is FAILED with the id kept, and the reason names the largest attributes with
    the bytes that each would take.
    """
    attributes = {"Small": 1, "Large": "€" * 1000, "Larger": "x" * 3000}

    answer, _ = told(start, deploy, lambda resource: attributes)

    assert ("FAILED", "thing-1") == (answer["Status"], answer["PhysicalResourceId"])
    assert "Data" not in answer
    assert "Large 3002 bytes, Larger 3002 bytes, Small 1 bytes" in answer["Reason"]


@pytest.mark.parametrize(
    "text",
    ["beginning " + "x" * 10_000 + " end", "beginning " + "€" * 3_000 + " end"],
    ids=["10,000 characters", "3,000 euro signs"],
)
def test_a_long_reason(start, deploy, text):
    """
    A reason is shortened in its middle until the body fits: the id and as much as there is room
    for are kept.
    """
    answer, body = told(start, deploy, raising(RuntimeError(text)))

    assert LIMIT - 3 < len(body) <= LIMIT
    assert ("FAILED", "thing-1") == (answer["Status"], answer["PhysicalResourceId"])
    assert answer["Reason"].startswith("beginning ")
    assert re.search(r" end \(test_what_is_told\.py:\d+\)$", answer["Reason"])
    assert "(shortened)" in answer["Reason"]


LOOP = {}
LOOP["itself"] = LOOP


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ({"At": datetime(2024, 7, 1, tzinfo=UTC)}, "At is datetime"),
        ({"Price": Decimal("1.10")}, "Price is Decimal"),
        ({"Key": b"bytes"}, "Key is bytes"),
        ({"Load": float("nan")}, "Load is no finite number"),
        ({"Load": float("-inf")}, "Load is no finite number"),
        ({"Zones": {"a"}}, "Zones is set"),
        ({"Deep": {"list": [1, {"set": {1}}]}}, "Deep.list[1].set is set"),
        ({"Huge": 10**5000}, "Huge is a whole number beyond"),
        ({"Half": "\ud83d"}, "Half is text with half a character"),
        ({"Map": {1: 2}}, "Map is a map with a name of kind int"),
        ({5: "x"}, "a name is int, not text"),
        ({"At": object(), "Key": b""}, "At is object; Key is bytes"),
    ],
)
def test_attributes_that_are_not_json(start, deploy, attributes, reason):
    """
    They are FAILED, by name and kind and without their value, and the id is kept: nothing raises
    after the thing is made, where Lambda's retry would find nothing to say either.
    """
    answer, _ = told(start, deploy, lambda resource: attributes)

    assert ("FAILED", "thing-1") == (answer["Status"], answer["PhysicalResourceId"])
    assert reason in answer["Reason"]


@pytest.mark.parametrize(
    ("returned", "reason"),
    [
        (LOOP, "recursion"),
        ("text", "text was returned; return a map, or None"),
        (["list"], "a list was returned; return a map, or None"),
    ],
    ids=["a loop", "text", "a list"],
)
def test_what_is_no_map_at_all(start, deploy, returned, reason):
    """
    A hook that returns something else is FAILED, and says so.
    """
    answer, _ = told(start, deploy, lambda resource: returned)

    assert ("FAILED", "thing-1") == (answer["Status"], answer["PhysicalResourceId"])
    assert reason in answer["Reason"]


def test_an_id_that_is_too_long(start, deploy):
    """
    CloudFormation takes ids of 1,024 bytes; a longer one is refused where the hook sets it, and the
    one that it had set before stays.
    """
    answer, _ = told(
        start, deploy, lambda resource: setattr(resource, "physical_resource_id", "ü" * 513)
    )

    assert "FAILED" == answer["Status"]
    assert "thing-1" == answer["PhysicalResourceId"]
    assert "physical_resource_id is 1026 bytes long; CloudFormation takes 1024" in answer["Reason"]


def test_an_id_of_1024_bytes(start, deploy):
    """
    The limit is inclusive, in bytes.
    """
    answer, _ = told(
        start, deploy, lambda resource: setattr(resource, "physical_resource_id", "ü" * 512)
    )

    assert ("SUCCESS", "ü" * 512) == (answer["Status"], answer["PhysicalResourceId"])


@pytest.mark.parametrize(
    ("stop", "reason"),
    [
        (sys.exit, "SystemExit: "),
        (lambda: sys.exit("no quota"), "SystemExit: no quota"),
        (lambda: raising(KeyboardInterrupt())(None), "KeyboardInterrupt: "),
        (lambda: raising(GeneratorExit())(None), "GeneratorExit: "),
        (lambda: raising(Timeout("30 s"))(None), "Timeout: 30 s"),
    ],
    ids=["sys.exit()", "sys.exit(text)", "KeyboardInterrupt", "GeneratorExit", "its own"],
)
def test_a_hook_that_ends_the_process(start, deploy, stop, reason):
    """
    It ends the request instead: a process that ended would be started again by Lambda, twice, and
    CloudFormation would hear nothing.
    """
    answer, _ = told(start, deploy, lambda resource: stop())

    assert ("FAILED", "thing-1") == (answer["Status"], answer["PhysicalResourceId"])
    assert answer["Reason"].startswith(reason)


@pytest.mark.parametrize("base", [ValueError, InvalidProperties, Timeout])
def test_an_error_that_cannot_be_printed(start, deploy, base):
    """
    Its `__str__` raises: CloudFormation is told its kind, and why there is no more.
    """
    unprintable = type("ApiError", (base,), {"__str__": lambda self: self.response.text})
    answer, _ = told(start, deploy, raising(unprintable()))

    assert "FAILED" == answer["Status"]
    assert "its __str__ raised AttributeError" in answer["Reason"]


def test_a_reason_with_half_a_character(start, deploy, caplog):
    """
    A file's name may hold one, as Python reads it: it is told as a question mark, and recorded.
    """
    caplog.set_level(logging.CRITICAL, "cfn_once")  # no report of pytest's may hold one
    answer, _ = told(start, deploy, raising(ValueError("no file \udcff")))

    assert answer["Reason"].startswith("no file ? (")


def test_a_secret_in_an_error_is_masked(start, deploy):
    """
    A reason is read by everybody who may describe the stack: a secret property is no part of it.
    """
    answer, _ = told(
        start,
        deploy,
        lambda resource: raising(ValueError(f"refused {resource.properties.Password!r}"))(None),
    )

    assert answer["Reason"].startswith("refused '*****' (")


def test_a_secret_that_a_hook_logs_is_masked(start, deploy, caplog):
    """
    What a hook logs about its properties, and the traceback of its error, come without the secret.
    """

    def hook(resource):
        resource.log.info("as %s", resource.properties)
        raise ValueError(json.dumps({"Password": resource.properties.Password}))

    told(start, deploy, hook)

    assert "as" in caplog.text
    assert "Password='*****'" in caplog.text
    assert 'ValueError: {"Password": "*****"}' in caplog.text
