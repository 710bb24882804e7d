"""What third parties tell of a secret on its way: nothing, in the thread that sends it."""

import logging
import threading
from itertools import count

import pytest
from opentelemetry import context
from opentelemetry.context import _SUPPRESS_INSTRUMENTATION_KEY

from cfn_once._silence import Quiet

numbers = count()


@pytest.fixture
def package():
    """The name of a package that nobody has loaded."""
    return f"chatty{next(numbers)}"


def test_the_loggers_of_a_package(package, caplog):
    """
    Each logger of it is silent, also one that is made meanwhile: what a process first sends loads
    most of botocore. Others are heard, and so is this one afterwards.
    """
    caplog.set_level(logging.DEBUG)
    early = logging.getLogger(f"{package}.early")
    quiet = Quiet(package)

    with quiet:
        early.debug("sent it")
        late = logging.getLogger(f"{package}.late")
        late.debug("sent it")
        with quiet:
            late.debug("sent it again")
        late.debug("sent more of it")
        logging.getLogger(f"{package}er").debug("a namesake")
    late.debug("heard")

    assert ["a namesake", "heard"] == caplog.messages


def test_a_handler_of_a_late_one(package, caplog):
    """
    A handler of another logger than the root's is asked as well.
    """
    other = logging.getLogger(f"of.somebody.{package}")
    other.propagate = False
    other.addHandler(caplog.handler)
    quiet = Quiet("of")

    with quiet:
        other.error("sent it")
    other.removeHandler(caplog.handler)

    assert [] == caplog.messages


def test_another_thread(package, caplog):
    """
    What another thread logs meanwhile is heard.
    """
    caplog.set_level(logging.DEBUG)

    with Quiet(package):
        told = threading.Thread(target=logging.getLogger(package).debug, args=["of another"])
        told.start()
        told.join()

    assert ["of another"] == caplog.messages


@pytest.mark.parametrize(
    "key",
    ["suppress_instrumentation", "suppress_http_instrumentation", _SUPPRESS_INSTRUMENTATION_KEY],
    ids=["instrumentation", "HTTP", "the API's own"],  # it draws a name in each process
)
def test_what_is_traced(package, key):
    """
    OpenTelemetry's instrumentations ask for one of these before they make a span.
    """
    quiet = Quiet(package)

    with quiet, quiet:
        meanwhile = context.get_value(key)

    assert meanwhile
    assert context.get_value(key) is None
