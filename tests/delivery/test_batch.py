"""A batch from SQS: what was told is done, and only the rest comes again."""

import json

from support.host import Status


def message(deployed, number, **changes):
    event = {**deployed.event, "RequestId": f"request-{number}", **changes}
    return {
        "messageId": f"message-{number}",
        "body": json.dumps({"Type": "Notification", "Message": json.dumps(event)}),
        "eventSource": "aws:sqs",
    }


def test_one_good_one_undeliverable_one_that_is_not_json(start, deploy):
    """
    The messages that came to nothing are named, so that SQS deletes the others; an answer that was
    not heard is told by the next delivery of its message alone, and its hook has run once.
    """
    host = start(Status(200), Status(403), Status(200))
    deployed = deploy(host)
    good = message(deployed, 0)
    undeliverable = message(deployed, 1, LogicalResourceId="Other")
    unreadable = {**message(deployed, 2), "body": "{half"}

    first = deployed.provider({"Records": [good, undeliverable, unreadable]})
    second = deployed.provider({"Records": [undeliverable]})

    assert {
        "batchItemFailures": [{"itemIdentifier": "message-1"}, {"itemIdentifier": "message-2"}]
    } == first
    assert {"batchItemFailures": []} == second
    assert 2 == len(deployed.made)
    assert ["request-0", "request-1", "request-1"] == [
        json.loads(body)["RequestId"] for body in deployed.bodies
    ]
    assert deployed.bodies[1] == deployed.bodies[2]
