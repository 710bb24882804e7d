"""Prints the log of a handler on crhelper, at DEBUG and in JSON, whose Create comes twice.

In a process of its own: crhelper sets up the root logger.
"""

import logging
import os
import sys

os.environ["AWS_REGION"] = "us-east-1"

from crhelper import CfnResource, resource_helper

from support.lambda_log import LambdaLog, lambdas


class Printed(logging.Handler):
    """Prints to whatever stdout is at the time, as Lambda's own handler does."""

    def emit(self, record):
        print(self.format(record))


logging.root.handlers = [Printed()]
made = iter(("thing-1", "thing-2"))


class Quiet(CfnResource):
    """Sends no response, and says what it would send as crhelper does."""

    def _send(self, status=None, reason=""):
        def say(url, body, verify):
            resource_helper.logger.debug("CFN response URL: %s", url)
            resource_helper.logger.debug(__import__("json").dumps(body))

        super()._send(status, reason, send_response=say)


helper = Quiet(json_logging=True, log_level="DEBUG", boto_level="CRITICAL")


@helper.create
def create(event, context):
    return next(made)


EVENT = {
    "RequestType": "Create",
    "RequestId": "7f3b1a52-0000-4000-8000-000000000001",
    "ResponseURL": "https://example.com/?X-Amz-Signature=hunter2",
    "StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/shop/1",
    "LogicalResourceId": "Thing",
    "ResourceType": "Custom::Thing",
    "ResourceProperties": {"Password": "hunter2"},
}
log = LambdaLog()
log.invoke(helper, EVENT, lambdas(1))
log.invoke(helper, EVENT, lambdas(1), after=600)
sys.stdout.write(log.document())
