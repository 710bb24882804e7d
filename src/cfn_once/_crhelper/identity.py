"""Ids in crhelper's form."""

from .._cloudformation.identity import base32, operation_digest, resource_digest


def derived_id(stack_id: str, logical_resource_id: str, request_id: str) -> str:
    """Return an id in crhelper's form, equal for every copy of a request, where its is random."""
    operation = operation_digest(resource_digest(stack_id, logical_resource_id), request_id)
    stack_name = stack_id.split("/")[1]
    return f"{stack_name}_{logical_resource_id}_{base32(operation, 8).upper()}"
