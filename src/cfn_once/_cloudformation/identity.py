"""Names that every copy of an event must come to as well: nothing here is random.

    resource   C = H(StackId, LogicalResourceId)      the correlation id, for the resource's life
    operation  O = H(C, RequestId)                    one request
    step       T = H(O, step key, generation)         the token of one call

H hashes each part with its length, so that no two lists of parts share a text.
"""

import base64
import re
from typing import NamedTuple

PLACEHOLDERS = {
    "none": "cfn-once.none.",  # answered by a Create that made nothing under an id
    "never": "cfn-once.never.",  # answered while the ledger could not be reached
}
OTHER_PLACEHOLDERS = frozenset(  # what other libraries answer for a Create that made nothing
    {
        "AWSCDK::CustomResourceProviderFramework::CREATE_FAILED",
        "AWSCDK::CustomResourceProviderFramework::MISSING_PHYSICAL_ID",
        "FAILED",
    }
)
CUT_FROM = 24  # characters; shorter names are never cut
OPERATION_NAME = 12  # characters of an operation's digest that its ids bear
SHORT_NAME = 8  # of those, how many tell the operations of one resource apart: 40 bits


def digest(label: str, *parts: str) -> bytes:
    """Return the SHA-256 of the parts, each preceded by its length in bytes."""
    import hashlib  # loads OpenSSL: paid by the first event, not by a cold start

    hashed = hashlib.sha256()
    for part in (f"cfn-once/1/{label}", *parts):
        data = part.encode()
        hashed.update(len(data).to_bytes(4, "big") + data)
    return hashed.digest()


def base32(data: bytes, characters: int) -> str:
    """Return the first characters of the lower-case base32 of at least so many bytes."""
    # Eight characters spell five bytes; the rest of a digest need not be spelled at all.
    return base64.b32encode(data[: -(-characters // 8) * 5]).decode()[:characters].lower()


def resource_digest(stack_id: str, logical_resource_id: str) -> bytes:
    """Return C; a new stack of the same name has another StackId, so another C."""
    return digest("resource", stack_id, logical_resource_id)


def operation_digest(resource: bytes, request_id: str) -> bytes:
    """Return O."""
    return digest("operation", resource.hex(), request_id)


class Token(NamedTuple):
    """The token of one step, in the forms that external APIs take."""

    value: bytes

    @classmethod
    def of(cls, operation: bytes, key: str, generation: int) -> "Token":
        return cls(digest("token", operation.hex(), key, str(generation)))

    def of_further_call(self, number: int) -> "Token":
        """Return the token of a further call inside the same step."""
        return self if number == 0 else Token(digest("call", self.value.hex(), str(number)))

    @property
    def uuid(self) -> str:
        """UUIDv8 (RFC 9562): 36 characters."""
        text = self.hex32
        return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"

    @property
    def hex32(self) -> str:
        """The UUID without hyphens."""
        data = bytearray(self.value[:16])
        data[6] = 0x80 | (data[6] & 0x0F)
        data[8] = 0x80 | (data[8] & 0x3F)
        return data.hex()

    @property
    def hex64(self) -> str:
        """All 32 bytes."""
        return self.value.hex()


def operation_name(operation: bytes) -> str:
    """Return what ids bear of an operation: 12 characters of lower-case base32."""
    return base32(operation, OPERATION_NAME)


def is_invented(physical_id: str, stack_name: str, logical_resource_id: str) -> bool:
    """Tell whether an id has the form that CloudFormation gives to a Create nobody answered.

    It is the stack's name, the logical id and 12 or 13 capitals and digits; the first two may be
    cut where they are long.
    """
    rest, _, suffix = physical_id.rpartition("-")
    if not re.fullmatch("[A-Z0-9]{12,13}", suffix, re.ASCII):
        return False
    if rest == f"{stack_name}-{logical_resource_id}":
        return True
    return _is_cut(rest, stack_name, logical_resource_id)


def _is_cut(text: str, stack_name: str, logical_resource_id: str) -> bool:
    """Tell whether a text is both names with their ends cut off, each with something left."""
    for place in (number for number, letter in enumerate(text) if letter == "-"):
        first, second = text[:place], text[place + 1 :]
        fits = stack_name.startswith(first) and logical_resource_id.startswith(second)
        if fits and first and second and len(text) >= CUT_FROM:
            return True
    return False


def default_physical_id(stack_name: str, logical_resource_id: str, operation: bytes) -> str:
    """Return the id of a resource that sets none: equal for every copy, new for a replacement."""
    return f"{stack_name}-{logical_resource_id}-{operation_name(operation)}"
