"""Secret properties are masked wherever they could be printed."""

import base64
import html
import json
import logging
import logging.config
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, make_dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Final, NewType, TypedDict
from urllib.parse import quote, urlencode
from uuid import UUID
from xml.sax import saxutils

import msgspec
import pydantic
import pytest
import typing_extensions
from hypothesis import given, settings
from hypothesis import strategies as st

from cfn_once import Secret
from cfn_once._observability.mask import MASK, Mask
from cfn_once._observability.spelling import SHORTEST_SECRET
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


@dataclass
class Keyed:
    All: Annotated[dict[str, str], Secret] = field(default_factory=dict)
    Values: dict[str, Annotated[str, Secret]] = field(default_factory=dict)
    Names: dict[Annotated[str, Secret], str] = field(default_factory=dict)


@dataclass
class ByDefault:
    Text: Annotated[str, Secret] = "by-default"
    Plain: str = "open"
    Users: Annotated[dict[str, str], Secret] = field(default_factory=lambda: {"a-user": ""})
    One: User | None = field(default_factory=lambda: User("open", "a-token"))
    Pins: tuple[Annotated[str, Secret], ...] = ("pin-one",)
    Id: Annotated[UUID | None, Secret] = None
    Raw: Annotated[bytes, Secret] = b"raw"


class Defaulted(msgspec.Struct):
    Text: Annotated[str, Secret] = "by-default"
    Made: Annotated[str, Secret] = msgspec.field(default_factory=lambda: "by-factory")


class DefaultedModel(pydantic.BaseModel):
    Text: Annotated[str, Secret] = "by-default"
    Pin: pydantic.SecretStr = pydantic.SecretStr("by-nature")


Password = NewType("Password", Annotated[str, Secret])
Named = typing_extensions.TypeAliasType("Named", Annotated[str, Secret])


@dataclass
class ByAnotherName:
    New: Password = Password("")
    Alias: Named = ""
    Kept: Final[Annotated[str, Secret]] = ""
    Many: list[Password] = field(default_factory=list)


class Extended(typing_extensions.TypedDict):
    Token: Annotated[str, Secret]


@dataclass
class WithMap:
    Inner: Extended


@pytest.mark.parametrize(
    ("declared", "raw", "secret"),
    [
        (ByAnotherName, {"New": "a", "Alias": "b", "Kept": "c", "Many": ["d"]}, set("abcd")),
        (Extended, {"Token": "hidden"}, {"hidden"}),
        (WithMap, {"Inner": {"Token": "hidden"}}, {"hidden"}),
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
        (Wanted, {"Password": {"of another": ["kind"]}}, {"of another", "kind"}),
        (
            ByDefault,
            {},
            {"by-default", "a-user", "a-token", "pin-one", "b'raw'", "raw", "726177"},
        ),
        (
            ByDefault,
            {"Text": "a", "Users": {}, "One": {"Name": "b"}, "Pins": [], "Raw": ""},
            {"a", "b''"},
        ),
        (Keyed, {"All": {"a-user": "a-token"}}, {"a-user", "a-token"}),
        (Keyed, {"Values": {"a-user": "a-token"}}, {"a-token"}),
        (Keyed, {"Names": {"a-user": "open"}}, {"a-user"}),
        (Defaulted, {}, {"by-default", "by-factory"}),
        (DefaultedModel, {}, {"by-default", "by-nature"}),
        (Wanted, {"Password": "", "Unknown": "open"}, set()),
        (Struct, {"Password": "hidden"}, {"hidden"}),
        (Model, {"Password": "hidden", "pin": "1234"}, {"hidden", "1234"}),
        (dict, {"Password": "nobody said so"}, set()),
    ],
)
def test_which_values_are_secret(declared, raw, secret):
    """
    Those under a mark, at any depth, fitting or not: by what came, not by what was made of it. The
    names in a map under a mark are, and so is the default of what did not come.
    """
    assert secret == Shape(declared).secrets(raw)


class Color(Enum):
    RED = "red-7f0000"


@pytest.mark.parametrize(
    ("hint", "raw", "printed"),
    [
        (int, "8.7654321E7", ["8.7654321E7", "87654321"]),
        (float, "98765432.5E0", ["98765432.5E0", "98765432.5"]),
        (float, "8.7654321E7", ["8.7654321E7", "87654321.0", "87654321"]),
        (Decimal, "1.50E+5", ["1.50E+5", "150000"]),
        (bytes, "cmF3LWNhbmFyeQ==", ["cmF3LWNhbmFyeQ==", "raw-canary", "7261772d63616e617279"]),
        (UUID, "A0EEBC999C0B4EF8BB6D6BB9BD380A11", ["a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"]),
        (datetime, "2027-01-15T08:00:00Z", ["2027-01-15 08:00:00+00:00"]),
        (Color, "red-7f0000", ["red-7f0000", "Color.RED"]),
        (list[int], ["8.7654321E7"], ["87654321"]),
        (dict[str, int] | None, {"a": "8.7654321E7"}, ["87654321"]),
        (int, "no number", ["no number"]),
    ],
)
def test_what_was_read_is_printed_otherwise(hint, raw, printed):
    """
    A hook prints the value that it is given, and an API what it was sent: both are hidden.
    """
    declared = make_dataclass("Declared", [("Secret", Annotated[hint, Secret])])

    assert set(printed) <= Shape(declared).secrets({"Secret": raw})


class Typed(TypedDict):
    Pin: Annotated[str, Secret]


@dataclass(frozen=True, slots=True)
class Nested:
    One: User
    Pins: tuple[Annotated[str, Secret], ...] = ()
    Named: dict[str, list[Annotated[str, Secret]]] = field(default_factory=dict)
    Maybe: str | Annotated[int, Secret] | None = None
    Map: Typed | None = None
    Whole: Annotated[User, Secret] | None = None
    Left: Annotated[str, Secret] = field(default="", repr=False)
    Made: str = field(default="", init=False)
    Open: str | list[str] = "open"


@dataclass
class Own:
    Password: Annotated[str, Secret]

    def __repr__(self):
        return "written by its user"


def read(declared, raw):
    return Shape(declared).convert(raw, "It")


@pytest.mark.parametrize(
    ("declared", "raw", "printed"),
    [
        (User, {"Name": "a", "Token": "hidden"}, "User(Name='a', Token='*****')"),
        (
            Nested,
            {"One": {"Name": "a", "Token": "hidden"}, "Pins": ["hidden", "hidden"]},
            (
                "Nested(One=User(Name='a', Token='*****'), Pins=('*****', '*****'), Named={},"
                " Maybe=None, Map=None, Whole=None, Open='open')"
            ),
        ),
        (
            Nested,
            {
                "One": {"Name": "a"},
                "Named": {"b": ["hidden"]},
                "Maybe": "17",
                "Map": {"Pin": "hidden"},
                "Whole": {"Name": "hidden"},
                "Left": "hidden",
                "Open": ["open"],
            },
            (
                "Nested(One=User(Name='a', Token='*****'), Pins=(), Named={'b': ['*****']},"
                " Maybe='*****', Map={'Pin': '*****'}, Whole='*****', Open=['open'])"
            ),
        ),
        (Own, {"Password": "hidden"}, "written by its user"),
        (Struct, {"Password": "hidden"}, "Struct(password='*****')"),
        (
            Model,
            {"Password": "hidden", "pin": "1234"},
            "Model(password='*****', pin='*****')",
        ),
    ],
)
def test_how_properties_are_printed(declared, raw, printed):
    """
    print, an f-string and a list of them show no secret; what they are does not change.
    """
    properties = read(declared, raw)

    assert printed == repr(properties) == f"{[properties]}"[1:-1]
    assert declared is type(properties)
    assert read(declared, raw) == properties
    assert "hidden" not in str(properties)


def test_a_class_that_is_declared_twice():
    """
    Two resources may share a record.
    """
    Shape(Model)
    Shape(Model)

    assert "password='*****'" in str(read(Model, {"Password": "hidden"}))


@pytest.fixture
def mask():
    mask = Mask()
    mask.hide({PASSWORD})
    return mask


def for_pages(text):
    """As Go, Java and Rails write JSON that stands in web pages."""
    return re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", json.dumps(text))


def base64_of(before, encode=base64.b64encode):
    return lambda text: encode(f"{before}{text}::".encode()).decode()


def in_lines(text):
    """As MIME and PEM have it, but with shorter lines."""
    return re.sub(r"(.{7})(?=.)", r"\1\n", base64_of("")(text))


WRITERS = {
    "itself": str,
    "Python": repr,
    "Python's bytes": lambda text: repr(text.encode()),
    "Python's ASCII": ascii,
    "JSON": json.dumps,
    "JSON in UTF-8": lambda text: json.dumps(text, ensure_ascii=False),
    "JSON of PHP": lambda text: json.dumps(text).replace("/", "\\/"),
    "JSON for pages": for_pages,
    "HTML": html.escape,
    "HTML in ASCII": lambda text: html.escape(text).encode("ascii", "xmlcharrefreplace").decode(),
    "XML": saxutils.quoteattr,
    "a URL's path": quote,
    "all of a URL": lambda text: quote(text, safe=""),
    "a form": lambda text: urlencode({"p": text}),
}
LAST = {"Latin-1 by mistake": lambda text: text.encode().decode("latin-1")}
BASE64 = {
    "base64": base64_of(""),
    "base64, a byte before it": base64_of("a"),
    "base64, two bytes before it": base64_of("ab"),
    "base64 in lines": base64_of("", base64.encodebytes),
    "base64 in lines, in YAML": lambda text: in_lines(text).replace("\n", "\n    "),
    "base64 in lines of Windows": lambda text: in_lines(text).replace("\n", "\r\n"),
    "base64 in lines, in JSON": lambda text: json.dumps(in_lines(text)),
    "base64 in lines, in JSON in JSON": lambda text: json.dumps(json.dumps(in_lines(text))),
    "base64 in lines, in Python's bytes": lambda text: repr(in_lines(text).encode()),
    "base64 in lines, in a form": lambda text: urlencode({"p": in_lines(text)}),
    "base64 for URLs": base64_of("", base64.urlsafe_b64encode),
    "base64 for URLs, a byte before it": base64_of("a", base64.urlsafe_b64encode),
}
KINDS = {
    "a password": "hunter22",
    "what JSON escapes": 'it\'s "quoted"\\and/more',
    "what HTML escapes": "<ab&cd>;'ef\"gh",
    "what URLs escape": "ab cd+ef/gh%ij?kl=mn&op#qr",
    "other languages": "pässwört-€-😀-秘密-Ωmega",
    "a key of several lines": "-----BEGIN KEY-----\nMIIEpAIBAAKC+/w==\r\n\t-----END KEY-----",
    "escapes": "ab\\ncd%41ef&amp;gh\\u0041ij%255Ckl\\\\mn",
    "no letters": "!@#$%^&*()<>\"'\\",
    "control characters": "ab\x00cd\x07ef\x1bgh\x7fij",
}
IN_BASE64 = [
    *("itself", "Python", "JSON", "JSON in UTF-8", "JSON of PHP", "HTML"),
    *("a URL's path", "all of a URL", "a form"),
]
# Writers of what writers wrote: what an API quotes of what it was sent, and a library logs of that.
SPELLINGS = {
    f"{outer} of {inner}": (inner, outer)
    for inner in WRITERS
    for outer in {**WRITERS, **LAST, **(BASE64 if inner in IN_BASE64 else {})}
}
EVERY = {**WRITERS, **LAST, **BASE64}


def spelled(text, writers):
    for writer in writers:
        text = EVERY[writer](text)
    return text


@pytest.mark.parametrize("kind", KINDS)
def test_however_it_is_spelled(kind):
    """
    What each writer makes of a secret is masked, and what the next one makes of that; what else
    there is in a line stays.
    """
    mask = Mask()
    mask.hide({KINDS[kind]})
    wrong = {}

    for spelling, writers in SPELLINGS.items():
        masked = mask.text(f"before {spelled(KINDS[kind], writers)} after")
        shown = re.fullmatch(r"before (.*) after", masked, re.DOTALL)[1]
        if MASK not in shown or len(shown) > 24 or "**" in shown.replace(MASK, "", 1):
            wrong[spelling] = masked

    assert {} == wrong


SPECIAL = st.text(
    st.one_of(st.sampled_from("\\\\\"'<>&%+/=;#\n\r\t u5cx2amp"), st.characters(codec="utf-8")),
    max_size=4,
)
SURROUNDING = st.text(st.characters(codec="utf-8", exclude_characters="Q"), max_size=12)


@given(
    between=st.lists(SPECIAL, min_size=1, max_size=4),
    ends=st.tuples(SPECIAL, SPECIAL),
    writers=st.lists(st.sampled_from(sorted(WRITERS)), max_size=3),
    around=st.tuples(SURROUNDING, SURROUNDING),
)
@settings(max_examples=100, deadline=None)
def test_planted_secrets(between, ends, writers, around):
    """
    Whatever a secret is made of and stands between, through three writers: none of it is found.
    """
    secret = (
        ends[0]
        + "Q7Q"
        + "".join(f"{part}Q{place}Q" for place, part in enumerate(between))
        + ends[1]
    )
    mask = Mask()
    mask.hide({secret})

    masked = mask.text(spelled(around[0] + secret + around[1], writers))

    assert "Q" not in masked
    assert MASK in masked


@given(
    secret=st.text(st.characters(codec="utf-8"), min_size=6, max_size=30),
    writer=st.sampled_from(IN_BASE64),
    around=st.tuples(SURROUNDING, SURROUNDING),
    encode=st.sampled_from([base64.b64encode, base64.urlsafe_b64encode]),
)
@settings(max_examples=100, deadline=None)
def test_planted_secrets_in_base64(secret, writer, around, encode):
    """
    Wherever it is in base64, and whoever has written it before: no letter is left that bears a bit
    of it.
    """
    mask = Mask()
    mask.hide({secret})
    before, inner = around[0].encode(), spelled(secret, [writer])
    quoted = writer.startswith(("Python", "JSON"))
    opened, closed = (1, 1) if quoted else (2, 0) if writer == "a form" else (0, 0)
    text = encode(before + inner.encode() + around[1].encode()).decode()
    first = (len(before) + opened) * 8 // 6
    last = -((len(before) + len(inner.encode()) - closed) * -8 // 6)

    masked = mask.text(text)

    assert MASK in masked
    assert len(masked.partition(MASK)[0]) <= first
    assert len(masked.rpartition(MASK)[2]) <= len(text) - last


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("writer", ["itself", "JSON", "HTML", "all of a URL"])
def test_a_text_that_was_cut(kind, writer):
    """
    Wherever a text ends within a secret, also within an escape, the beginning of it is masked.
    """
    mask = Mask()
    mask.hide({KINDS[kind]})
    written = spelled(KINDS[kind], [writer])
    written = written[1:-1] if writer == "JSON" else written
    least = len(spelled(KINDS[kind][:SHORTEST_SECRET], [writer]))

    masked = {
        mask.text("before " + written[:end], is_cut=True) for end in range(least, len(written))
    }

    assert {f"before {MASK}"} == masked
    assert f"before {MASK}" == mask.text("before " + written, is_cut=True)
    assert "before" == mask.text("before", is_cut=True)


@pytest.mark.parametrize("before", [b"", b"v", b"u:"])
@pytest.mark.parametrize("hint", [bytes, str])
def test_what_is_no_utf8_in_base64(hint, before):
    """
    A key in bytes, and a password that requests sends in Latin-1, wherever base64 holds them.
    """
    secret = bytes(range(200, 232))
    sent = base64.b64encode(secret).decode() if hint is bytes else secret.decode("latin-1")
    declared = make_dataclass("Declared", [("Secret", Annotated[hint, Secret])])
    mask = Mask()
    mask.hide(Shape(declared).secrets({"Secret": sent}))

    masked = mask.text("Basic " + base64.b64encode(before + secret + b"::").decode())

    assert re.fullmatch(r"Basic \w{0,2}\*{5}\w{0,3}={0,2}", masked)


@pytest.mark.parametrize("end", ["\n", "\\n", "\\\\r\\\\n", "%0A"])
def test_lines_of_base64_that_were_cut(end):
    """
    Wherever a text ends in them; of the lines around them one letter is masked at most.
    """
    mask = Mask()
    mask.hide({"a secret of more than two lines, " * 4})
    first, *others = base64.encodebytes(b"a secret of more than two lines, " * 4).decode().split()
    text = end.join([first, *others])

    assert f"befor{MASK}fter" == mask.text(f"before{end}{text}{end}after")  # may bear some bits
    assert f"before {MASK} after{end}" == mask.text(f"before {text} after{end}")
    assert {f"before {MASK}"} == {
        mask.text("before " + text[:cut], is_cut=True)
        for cut in range(5, len(text))
        if text[cut - 1].isalnum() and text[cut].isalnum()
    }


def test_where_a_text_was_cut_two_secrets_may_overlap():
    """
    One may end as the next begins.
    """
    mask = Mask()
    mask.hide({"hunter2223", "2223-and-more"})

    assert f"a {MASK}" == mask.text("a hunter2223-and", is_cut=True)
    assert f"a {MASK} b" == mask.text("a hunter2223-and-more b")
    assert f"a {MASK} b" == mask.text("a hunter2223-and-more b", is_cut=True)


LONG = json.dumps({f"key{place}": {"p&q": "a%b", "é;": f"'{place}<"} for place in range(40)})


@pytest.mark.parametrize(
    "spelling",
    [
        *("itself of itself", "JSON of itself", "JSON of JSON", "HTML of JSON", "HTML of HTML"),
        *("all of a URL of a form", "all of a URL of HTML", "Python of Python's ASCII"),
        *("Latin-1 by mistake of JSON in UTF-8", "base64 of JSON", "base64 in lines of itself"),
    ],
)
def test_a_long_secret(spelling):
    """
    One that is longer than any pattern is masked from its first character to its last, twice.
    """
    mask = Mask()
    mask.hide({LONG})
    text = spelled(LONG, SPELLINGS[spelling])
    others = spelled(LONG.replace("key39", "kez39"), SPELLINGS[spelling])

    masked = mask.text(f"before {text} {text} after")

    assert re.fullmatch(r"before ([^ *]{0,8}\*{5}[^ *]{0,8} ){2}after", masked, re.DOTALL)
    assert others == mask.text(others)


class Work:
    """Counts the calls that are made while it is entered, those of builtins among them."""

    def __init__(self):
        self.calls = 0

    def __enter__(self):
        sys.setprofile(self._count)
        return self

    def __exit__(self, *_):
        sys.setprofile(None)

    def _count(self, frame, event, arg):
        self.calls += event in ("call", "c_call")


ENTRIES = json.dumps({f"key{place}": {"user": "u", "password": 'p"w'} for place in range(80)})


@pytest.mark.parametrize(
    ("secret", "text", "most"),
    [
        (ENTRIES, json.dumps({"b": ENTRIES}), 400_000),
        (ENTRIES, json.dumps({"b": ENTRIES[:-10]}) * 20, 900_000),
        (',"' * 1000, ',"' * 10_000, 1_200_000),
    ],
)
def test_what_a_long_secret_costs(secret, text, most):
    """
    No pattern of all of it is made, and a text that costs too much is masked to its end.
    """
    mask = Mask()
    mask.hide({secret})

    with Work() as work:
        mask.text(text)

    assert work.calls < most


def test_a_text_that_costs_too_much():
    """
    What has not been looked at is not told: in near copies, each place may be where it begins.
    """
    mask = Mask()
    mask.hide({',"' * 1000})

    masked = mask.text("before " + (',"' * 900 + "!") * 3 + ',"' * 1000)

    assert re.fullmatch(r'before [,"]{1,900}\*{5}', masked)


HARD = [
    "\\" * 20_000,
    "\\" * 10_000,
    "%" + "25" * 10_000,
    "%5C" * 6_000,
    "&" + "amp;" * 5_000,
    "\\u005c" * 3_000,
    "a" * 20_000,
    "\n" * 20_000,
]


@pytest.mark.parametrize(
    "secret",
    ["\\" * 4, '\\"' * 4, "%25%25%", "&amp;&", "a" * 2000, "\n" * 9, "é\\é", "\\" * 200 + '"'],
)
def test_no_text_takes_long(secret):
    """
    An external API decides what is searched: none of its texts holds a hook up for long.
    """
    mask = Mask()
    mask.hide({secret})
    begun = time.process_time()

    for text in HARD:
        mask.text(text)
        mask.text(text + "z", is_cut=True)

    assert time.process_time() - begun < 20


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


def set_up_by_name(handler):
    logging.config.dictConfig(
        {
            "version": 1,
            "incremental": False,
            "disable_existing_loggers": False,
            "handlers": {"kept": {"()": lambda: handler}},
            "loggers": {"of.nobody": {"handlers": ["kept"], "level": "DEBUG", "propagate": False}},
        }
    )
    return logging.getLogger("of.nobody")


def add_to_one_that_is_there(handler):
    logger = logging.getLogger("of.somebody.else")
    logger.addHandler(handler)
    return logger


def add_to_one_that_nobody_can_look_up(handler):
    logger = logging.Logger("alone")  # noqa: LOG001 - some do
    logger.addHandler(handler)
    return logger


@pytest.mark.parametrize(
    "set_up", [add_to_one_that_is_there, add_to_one_that_nobody_can_look_up, set_up_by_name]
)
def test_a_handler_that_comes_meanwhile(mask, logger, set_up):
    """
    A hook sets logging up, as boto3.set_stream_logger does: what it prints is masked, all of it.
    Another hook, at work at the same time, may end first.
    """
    before, other = logging.getLogRecordFactory(), Mask()

    with mask:
        with other:
            made = Kept()
            late = set_up(made)
        try:
            raise ValueError(PASSWORD)
        except ValueError:
            late.exception("sent %s", PASSWORD, extra={"sent": PASSWORD})
    late.removeHandler(made)

    assert f"sent {MASK}" == made.lines[0].splitlines()[0]
    assert PASSWORD not in made.lines[0]
    assert MASK == made.records[0].sent
    assert [] == made.filters
    assert before is logging.getLogRecordFactory()


def test_another_factory_meanwhile(mask, logger, kept):
    """
    What a hook puts around the making of records, as OpenTelemetry does, stays, and finds the
    making of records behind it.
    """
    before = logging.getLogRecordFactory()

    with mask:
        behind = logging.getLogRecordFactory()

        def around(*args, **names):
            return behind(*args, **names)

        logging.setLogRecordFactory(around)
    with mask:
        logger.info("sent %s", PASSWORD)
    after = logging.getLogRecordFactory()
    logging.setLogRecordFactory(before)

    assert around is after
    assert [f"sent {MASK}"] == kept.lines


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


def test_a_record_whose_parts_do_not_fit(mask, logger, kept):
    """
    logging would print each of its parts, unmasked, to the process's errors.
    """
    with mask:
        logger.error("no place for %d", PASSWORD)

    assert [f"no place for %d ('{MASK}',)"] == kept.lines


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
