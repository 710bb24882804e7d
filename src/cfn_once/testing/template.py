"""What CloudFormation and Lambda refuse of a template, before a provider is asked anything."""

import json
import re
from collections.abc import Mapping
from typing import Any

from .._cloudformation.request import SERVICE_TIMEOUT

PLAIN_TYPE = "AWS::CloudFormation::CustomResource"
TYPE = re.compile(r"Custom::[A-Za-z0-9_@-]{1,60}", re.ASCII)
LOGICAL_ID = re.compile(r"[A-Za-z0-9]{1,255}", re.ASCII)
STACK_NAME = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,127}", re.ASCII)
LARGEST_EVENT = 2**20  # bytes; Lambda API, asynchronous Invoke


def check_stack_name(name: str) -> None:
    """Refuse what no stack can be called."""
    assert STACK_NAME.fullmatch(name), (
        f"CloudFormation takes no stack name {name!r}: a letter, then up to 127 letters, digits"
        " and hyphens"
    )


def check_resource(logical_id: str, resource_type: str, properties: Mapping[str, Any]) -> None:
    """Refuse a resource that no template can have; properties are as sent, in text."""
    assert LOGICAL_ID.fullmatch(logical_id), (
        f"CloudFormation takes no logical id {logical_id!r}: up to 255 letters and digits"
    )
    assert resource_type == PLAIN_TYPE or TYPE.fullmatch(resource_type), (
        f"CloudFormation takes no resource type {resource_type!r}: write Custom:: and up to 60 of"
        f" A-Z, a-z, 0-9, _, @ and -, or {PLAIN_TYPE}"
    )
    timeout = properties.get("ServiceTimeout", "1")
    digits = re.fullmatch(r"\d{1,4}", timeout, re.ASCII) if isinstance(timeout, str) else None
    assert 1 <= int(digits[0] if digits else 0) <= SERVICE_TIMEOUT, (
        f"CloudFormation takes no ServiceTimeout {timeout!r}: whole seconds from 1 to"
        f" {SERVICE_TIMEOUT}"
    )


def check_event(event: Mapping[str, Any]) -> None:
    """Refuse what is too large for an asynchronous invocation."""
    size = len(json.dumps(event).encode())
    if size <= LARGEST_EVENT:
        return
    sizes = {name: len(json.dumps(value)) for name, value in event["ResourceProperties"].items()}
    largest = max(sizes, key=sizes.__getitem__)
    raise AssertionError(
        f"Lambda takes no event of {size:,} bytes, only up to {LARGEST_EVENT:,}: the property"
        f" {largest} has {sizes[largest]:,} of them"
    )
