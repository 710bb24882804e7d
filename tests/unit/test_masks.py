"""Secret properties are masked wherever they could be printed."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import quote, urlencode

import msgspec
import pydantic
import pytest

from cfn_once import Secret
from cfn_once._observability.mask import MASK, Mask
from cfn_once._properties import Shape

PASSWORD = 'it\'s "quoted"\n& grün/+'


@dataclass
class User:
    Name: str
    Token: Annotated[str, Secret] = ""


@dataclass
class Wanted:
    Name: str = ""
    Password: Annotated[str, Secret] = ""
    Maybe: Annotated[str, Secret] | None = None
    Number: Annotated[int, Secret] = 0
    Flag: Annotated[bool, Secret] = False
    Users: list[User] = field(default_factory=list)
    Named: dict[str, User] = field(default_factory=dict)
    Codes: Annotated[list[str], Secret] = field(default_factory=list)
    Keys: Sequence[Annotated[str, Secret]] = ()
    Pair: tuple[str, Annotated[str, Secret]] = ("", "")
    Whole: Annotated[User, Secret] | None = None
    Either: str | list[User] = ""


class Struct(msgspec.Struct, rename="pascal"):
    password: Annotated[str, Secret]


class Model(pydantic.BaseModel):
    password: Annotated[str, Secret] = pydantic.Field(alias="Password")
    pin: pydantic.SecretStr = pydantic.SecretStr("")


@pytest.mark.parametrize(
    ("declared", "raw", "secret"),
    [
        (Wanted, {"Name": "open", "Password": "hidden"}, {"hidden"}),
        (Wanted, {"Maybe": "hidden", "Number": "123456"}, {"hidden", "123456"}),
        (Wanted, {"Password": 123456}, {"123456"}),
        (Wanted, {"Users": [{"Name": "open", "Token": "a"}, {"Token": "b"}]}, {"a", "b"}),
        (Wanted, {"Named": {"open": {"Name": "open", "Token": "hidden"}}}, {"hidden"}),
        (Wanted, {"Codes": ["a", "b"], "Keys": ["c"]}, {"a", "b", "c"}),
        (Wanted, {"Pair": ["open", "hidden"]}, {"hidden"}),
        (Wanted, {"Pair": ["open", "hidden", "too many"]}, {"hidden", "too many"}),
        (Wanted, {"Whole": {"Name": "a", "Unknown": ["b"]}}, {"a", "b"}),
        (Wanted, {"Either": "open"}, set()),
        (Wanted, {"Either": [{"Token": "hidden"}]}, {"hidden"}),
        (Wanted, {"Password": {"of another": ["kind"]}}, {"kind"}),
        (Wanted, {"Password": "", "Unknown": "open"}, set()),
        (Struct, {"Password": "hidden"}, {"hidden"}),
        (Model, {"Password": "hidden", "pin": "1234"}, {"hidden", "1234"}),
        (dict, {"Password": "nobody said so"}, set()),
    ],
)
def test_which_values_are_secret(declared, raw, secret):
    """
    Those under a mark, at any depth, fitting or not: by what came, not by what was made of it.
    """
    assert secret == Shape(declared).secrets(raw)


@pytest.fixture
def mask():
    mask = Mask()
    mask.hide({PASSWORD})
    return mask


@pytest.mark.parametrize(
    "spelt",
    [
        PASSWORD,
        repr(PASSWORD),
        json.dumps({"Password": PASSWORD}),
        json.dumps({"Password": PASSWORD}, ensure_ascii=False),
        f"https://example.com/{quote(PASSWORD)}",
        f"https://example.com/{quote(PASSWORD, safe='')}",
        f"https://example.com/?{urlencode({'password': PASSWORD})}",
        str(Wanted(Password=PASSWORD)),
    ],
)
def test_however_it_is_spelt(mask, spelt):
    """
    As it is, in Python's spelling, in JSON's and in a URL's.
    """
    masked = mask.text(f"before {spelt} after")

    assert MASK in masked
    assert "gr" not in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")


def test_the_longest_first():
    """
    One secret may be a part of another.
    """
    mask = Mask()
    mask.hide({"secret"})
    mask.hide({"secret-and-more"})

    assert f"{MASK} {MASK}" == mask.text("secret-and-more secret")


def test_what_is_spared():
    """
    Very short text and the names of truth would blot out half of every line.
    """
    mask = Mask()
    mask.hide({"abc", "true", "false", ""})

    assert "abc true false" == mask.text("abc true false")


class Kept(logging.Handler):
    """A handler that formats as others do, and keeps the lines."""

    def __init__(self):
        super().__init__()
        self.lines, self.records = [], []
        self.setFormatter(logging.Formatter("%(message)s"))

    def emit(self, record):
        self.records.append(record)
        self.lines.append(self.format(record))


@pytest.fixture
def logger():
    """A logger of a library's, with a handler of its own."""
    logger = logging.getLogger("of.somebody.else")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    handler = Kept()
    logger.addHandler(handler)
    yield logger
    logger.removeHandler(handler)
    logger.propagate = True


@pytest.fixture
def kept(logger):
    return logger.handlers[0]


def test_every_logger_while_it_is_entered(mask, logger, kept, caplog):
    """
    A library that logs what it is given is masked too: botocore prints whole requests at DEBUG.
    """
    caplog.set_level(logging.DEBUG)
    root = logging.getLogger("another")

    with mask:
        logger.debug("sent %s", {"Password": PASSWORD})
        root.info("sent %s", PASSWORD)
    logger.debug("afterwards %s", PASSWORD)

    assert [f"sent {{'Password': '{MASK}'}}", f"afterwards {PASSWORD}"] == kept.lines
    assert f"sent {MASK}" in caplog.text


def test_tracebacks_and_extra(mask, logger, kept):
    """
    The text of an error, of its cause, and what is given as `extra` are part of a record.
    """
    with mask:
        try:
            try:
                raise KeyError(PASSWORD)
            except KeyError as error:
                raise ValueError(f"refused {PASSWORD}") from error
        except ValueError:
            logger.exception("failed", extra={"sent": {"Password": PASSWORD}, "size": 3})

    [line], [record] = kept.lines, kept.records
    assert f"ValueError: refused {MASK}" in line
    assert f"KeyError: '{MASK}'" in line
    assert "gr" not in line.replace("Traceback", "")
    assert (f"{{'Password': '{MASK}'}}", 3) == (record.sent, record.size)


def test_what_has_nothing_to_hide_is_left_alone(mask, logger, kept):
    """
    Records without a secret keep their arguments and errors, for formatters that use them.
    """
    with mask:
        try:
            raise ValueError("refused")
        except ValueError:
            logger.exception("failed %d times", 3)

    [record] = kept.records
    assert (3,) == record.args
    assert ValueError is record.exc_info[0]


def test_without_secrets_nothing_is_looked_at(logger, kept):
    """
    A class without secret properties pays nothing.
    """
    with Mask():
        logger.info("sent %s", PASSWORD)

    assert (PASSWORD,) == kept.records[0].args
