"""CFN_ONCE_CONTINUATION: one URL says how an event comes back."""

import math

import pytest

from cfn_once import ConfigurationError
from cfn_once._lambda.continuation_services import open_continuation
from cfn_once._lambda.environment import continuation_of
from continuation.ways import QUEUE, ROLE, URLS

KEY = "arn:aws:kms:us-east-1:123456789012:key/1f2e3d4c-0000-4000-8000-000000000001"
SCHEDULER = URLS["scheduler"]
FORMS = ("scheduler://GROUP?role=ARN", "sqs://sqs.REGION.amazonaws.com/ACCOUNT/QUEUE", "lambda://")


@pytest.mark.parametrize("url", [None, ""])
def test_without_a_url_nothing_comes_back(url, monkeypatch):
    """
    A template may leave the variable out, or leave it empty.
    """
    monkeypatch.delenv("CFN_ONCE_CONTINUATION", raising=False)
    if url is not None:
        monkeypatch.setenv("CFN_ONCE_CONTINUATION", url)

    assert continuation_of(None) is None


@pytest.mark.parametrize(
    ("url", "shortest", "longest", "endpoint"),
    [
        (SCHEDULER, 60, math.inf, "scheduler.us-east-1.amazonaws.com"),
        (f"{SCHEDULER}&key={KEY}&region=eu-west-1", 60, math.inf, "scheduler.eu-west-1"),
        (SCHEDULER.replace("+", "%2B").replace("scheduler:", "SCHEDULER:"), 60, math.inf, ""),
        ("sqs://sqs.eu-west-1.amazonaws.com/123456789012/waits", 60, 900, "sqs.eu-west-1"),
        ("sqs://sqs.cn-north-1.amazonaws.com.cn/123456789012/waits", 60, 900, "sqs.cn-north-1"),
        (f"sqs://{QUEUE}?endpoint=http://127.0.0.1:4566", 60, 900, "http://127.0.0.1:4566"),
        ("sqs://127.0.0.1:4566/000000000000/waits?region=eu-west-1", 60, 900, "sqs.eu-west-1"),
        ("lambda://self", math.inf, 0, "lambda.us-east-1.amazonaws.com"),
        ("lambda://self?endpoint=http://[::1]:4566", math.inf, 0, "http://[::1]:4566"),
    ],
)
def test_a_url_says_which_service_is_asked_where(url, shortest, longest, endpoint):
    """
    The Region is the URL's, else the environment's; a queue's host names it.
    """
    opened = open_continuation(url)

    assert (shortest, longest) == (opened.shortest, opened.longest)
    assert endpoint in opened._client.meta.endpoint_url


@pytest.mark.parametrize(
    "url",
    [
        "hunter2",
        "https://sqs.us-east-1.amazonaws.com/123456789012/hunter2",
        "lambda://hunter2",
        "lambda:self",
        "lambda://self?region=hunter2",
        f"scheduler://?role={ROLE}",
        "scheduler://hunter2",
        "scheduler://waits?role=hunter2",
        f"scheduler://hunter2/waits?role={ROLE}",
        f"{SCHEDULER}&role={ROLE}",
        f"{SCHEDULER}&key=alias/hunter2",
        f"{SCHEDULER}&region=hunter2.example.com",
        f"{SCHEDULER}&dlq=hunter2",
        f"{SCHEDULER}&dead_letters=hunter2",
        f"{SCHEDULER}&dead_letters=arn:aws:sqs:us-east-1:123456789012:hunter2.fifo&region=eu-west-1",
        f"{SCHEDULER}&endpoint=http://user:hunter2@127.0.0.1:4566",
        f"{SCHEDULER}&endpoint=http://127.0.0.1:4566/?hunter2",
        f"{SCHEDULER}&endpoint=ftp://hunter2",
        "sqs://hunter2",
        "sqs://sqs.us-east-1.amazonaws.com/hunter2/waits",
        "sqs://hunter2:hunter2@sqs.us-east-1.amazonaws.com/123456789012/waits",
        f"sqs://{QUEUE}?hunter2",
        f"sqs://{QUEUE}.fifo",
    ],
)
def test_a_wrong_url(url):
    """
    It is refused when it is read, with the three forms that there are, and without what it says,
    for that may be a secret in the wrong place.
    """
    with pytest.raises(ConfigurationError) as raised:
        open_continuation(url)

    assert [] == [form for form in FORMS if form not in str(raised.value)]
    assert "hunter2" not in str(raised.value)
    fifo = "FIFO queue, where no message can have a delay"
    assert url.endswith(".fifo") == (fifo in str(raised.value))
