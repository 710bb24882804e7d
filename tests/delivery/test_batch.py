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


def test_one_good_one_undeliverable_and_two_that_are_none(start, deploy, caplog):
    """
    The messages that came to nothing are named, and logged, so that SQS deletes the others, and
    what is no request ends in the queue's dead-letter queue; an answer that was not heard is told
    by the next delivery of its message alone, and its hook has run once.
    """
    host = start(Status(200), Status(403), Status(200))
    deployed = deploy(host)
    good = message(deployed, 0)
    undeliverable = message(deployed, 1, LogicalResourceId="Other")
    unreadable = {**message(deployed, 2), "body": "{half"}
    half = {**message(deployed, 3), "body": json.dumps({"half": "a request"})}

    first = deployed.provider({"Records": [unreadable, half, good, undeliverable]})
    second = deployed.provider({"Records": [undeliverable]})

    failed = [failure["itemIdentifier"] for failure in first["batchItemFailures"]]
    assert ["message-2", "message-3", "message-1"] == failed
    assert 3 == len([message for message in caplog.messages if "comes again" in message])
    assert {"batchItemFailures": []} == second
    assert 2 == len(deployed.made)
    assert ["request-0", "request-1", "request-1"] == [
        json.loads(body)["RequestId"] for body in deployed.bodies
    ]
    assert deployed.bodies[1] == deployed.bodies[2]
