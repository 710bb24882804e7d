"""The ledger that a URL names; what is wrong with a URL, and what to give instead."""

from pathlib import Path
from typing import Any

import pytest

from cfn_once import ConfigurationError
from cfn_once.ledger import MemoryStore, Store, Write, open_store
from cfn_once.ledger.dynamodb import DynamoDBStore
from cfn_once.ledger.sqlite import SQLiteStore
from cfn_once.ledger.store import Absent
from ledger.told import a_head
from support.ministack import MiniStack

FORMS = (
    r"dynamodb://TABLE\[\?namespace=\.\.&formerly=\.\.&region=\.\.&endpoint=\.\.&keeps_secrets=true\],"
    r" sqlite:///PATH\[\?namespace=\.\.&formerly=\.\.\] or memory"
)
NAME = "a namespace has 1 to 64 letters, digits"
OTHER_NAME = "formerly is the name of another namespace"
SAME_NAME = "formerly names the very namespace"
ARN = "arn:aws:dynamodb:eu-central-1:123456789012:table/cfn-once.ledger_1"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A machine with credentials and no Region; the tests' own folder is the current one."""
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.chdir(tmp_path)


def open_here(url: str | None, **options: bool) -> Store:
    return open_store(url, **{"in_lambda": False, "allow_local": False, **options})


@pytest.mark.parametrize(
    ("url", "advice"),
    [
        ("ledger", FORMS),
        ("dynamodb:ledger", FORMS),
        ("dynamodb:/ledger", FORMS),
        ("postgres://ledger", FORMS),
        ("https://dynamodb.eu-west-1.amazonaws.com/ledger", FORMS),
        (" dynamodb://ledger", FORMS),
        (ARN, FORMS),
        ("//ledger", FORMS),
        ("dynamodb://", "names no table"),
        ("dynamodb:///", "names no table"),
        ("dynamodb:///ledger", "names no table"),
        ("dynamodb://ledger/", "names no table"),
        ("dynamodb://my ledger", "names no table"),
        ("dynamodb://ledger\n", "names no table"),
        ("dynamodb://ab", "names no table"),
        ("dynamodb://[::1", "names no table"),
        ("dynamodb://eu-west-1/ledger", "names no table"),
        ("dynamodb://arn:aws:s3:::ledger", "names no table"),
        ("dynamodb://ledger#prod", "names no table"),
        ("dynamodb://ledger?Region=eu-west-1", "region, endpoint, keeps_secrets, each once"),
        ("dynamodb://ledger?region=eu-west-1&region=eu-west-2", "each once"),
        *[
            (f"dynamodb://ledger?region=eu-west-1&{options}", advice)
            for options, advice in (
                ("namespace=", NAME),
                ("namespace=a/b", NAME),
                ("namespace=a%2Fb", NAME),
                ("namespace=a*", NAME),
                ("namespace=a%0A", NAME),
                ("namespace=\u00e4", NAME),
                ("namespace=" + 65 * "a", NAME),
                ("namespace=a&namespace=b", "each once"),
                ("namespace=a&formerly=b/c", OTHER_NAME),
                ("namespace=a&formerly=a", SAME_NAME),
                ("formerly=", SAME_NAME),
            )
        ],
        ("sqlite:///tmp/ledger.sqlite3?namespace=a/b", NAME),
        ("sqlite:///tmp/ledger.sqlite3?region=a", "takes the options namespace, formerly, each"),
        ("memory://?namespace=a", f"takes no options; give {FORMS}"),
        ("dynamodb://ledger?region=", "ledger: give a Region such as"),
        ("dynamodb://ledger?region=Frankfurt am Main", "ledger: give a Region such as"),
        ("dynamodb://ledger?region=eu-west-1&keeps_secrets=yes", "keeps_secrets is true or false"),
        ("dynamodb://ledger?region=eu-west-1&keeps_secrets=", "keeps_secrets is true or false"),
        ("dynamodb://ledger?region=eu-west-1&endpoint=localhost:8000", "endpoint must be http"),
        ("dynamodb://ledger?region=eu-west-1&endpoint=", "endpoint must be http"),
        ("dynamodb://ledger?region=eu-west-1&endpoint=http://", "endpoint must be http"),
        ("dynamodb://ledger?region=eu-west-1&endpoint=http://h:port", "endpoint must be http"),
        ("dynamodb://ledger?region=eu-west-1&endpoint=http://h/path", "endpoint must be http"),
        ("dynamodb://ledger", r"in which Region.*dynamodb://ledger\?region=\.\. or set AWS_REGION"),
        ("sqlite://", "three slashes and the path from the root"),
        ("sqlite:///", "three slashes and the path from the root"),
        ("sqlite://ledger.sqlite3", "three slashes and the path from the root"),
        ("sqlite://./ledger.sqlite3", "three slashes and the path from the root"),
        ("sqlite:///./ledger.sqlite3", "three slashes and the path from the root"),
        ("sqlite:///../ledger.sqlite3", "three slashes and the path from the root"),
        (
            "sqlite:///nowhere/to/be/found",
            "folder of the ledger file /nowhere/to/be/found does not",
        ),
        ("sqlite:///tmp", "the ledger file /tmp is a folder: name a file in it"),
        ("sqlite:///tmp/ledger.sqlite3?mode=ro", f"namespace, formerly, each once: give {FORMS}"),
        ("memory://?shared=true", f"takes no options; give {FORMS}"),
        ("memory://ledger", "give memory://"),
    ],
)
def test_a_wrong_url(url: str, advice: str) -> None:
    """The message says what to give instead."""
    with pytest.raises(ConfigurationError, match=advice):
        open_here(url)


@pytest.mark.parametrize(
    "url",
    [
        "dynamodb://AKIA:hunter2@ledger",
        "dynamodb://AKIA:hunter2@ledger?region=eu-west-1",
        "dynamodb://ledger?region=eu-west-1&secret=hunter2",
        "dynamodb://ledger?region=eu-west-1&hunter2",
        "dynamodb://ledger?region=hunter2 !",
        "dynamodb://ledger?region=eu-west-1&keeps_secrets=hunter2",
        "dynamodb://ledger?region=eu-west-1&endpoint=http://AKIA:hunter2@localhost:8000",
        "dynamodb://ledger?region=eu-west-1&endpoint=http://localhost:8000/?key=hunter2",
        "dynamodb://ledger?endpoint=http://localhost:hunter2",
        "sqlite://AKIA:hunter2@host/ledger",
        "sqlite:///tmp/ledger?key=hunter2",
        "memory://hunter2",
        "postgres://AKIA:hunter2@host/ledger?password=hunter2",
        "hunter2:AKIA@ledger",
    ],
)
def test_a_secret_in_a_wrong_url(url: str) -> None:
    """No message, nor what led to it, holds what may be a secret."""
    with pytest.raises(ConfigurationError) as raised:
        open_here(url)

    error: BaseException | None = raised.value
    while error is not None:
        assert "hunter2" not in str(error)
        assert "AKIA" not in str(error)
        error = error.__cause__ or error.__context__


@pytest.mark.parametrize("url", [None, "", "sqlite:///tmp/ledger.sqlite3", "memory://"])
def test_in_lambda(url: str | None) -> None:
    """Each sandbox would have a ledger of its own: refused, and the remedy is named."""
    with pytest.raises(ConfigurationError, match="dynamodb://TABLE"):
        open_here(url, in_lambda=True)


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        (None, SQLiteStore),
        ("sqlite:///tmp/ledger.sqlite3", SQLiteStore),
        ("memory://", MemoryStore),
    ],
)
def test_in_lambda_where_it_is_allowed(url: str | None, kind: type) -> None:
    """A test may say that one sandbox is all there is."""
    assert isinstance(open_here(url, in_lambda=True, allow_local=True), kind)


def test_no_url_off_lambda(tmp_path: Path) -> None:
    """The ledger is a file in the current folder, and is made at the first write."""
    store = open_here(None)

    assert not (tmp_path / ".cfn-once.sqlite3").exists()
    assert store.write("r1", Write(Absent(("v",)), a_head())).applied
    assert (tmp_path / ".cfn-once.sqlite3").exists()


@pytest.mark.parametrize("name", ["ledger.sqlite3", "my ledger.sqlite3", "Größe #1 100%?.sqlite3"])
@pytest.mark.parametrize("slashes", ["sqlite://", "sqlite:///", "SQLite://"])
def test_a_file(tmp_path: Path, slashes: str, name: str) -> None:
    """A path from the root, with its odd letters escaped as in any URL; one slash more is none."""
    escaped = name.replace("%", "%25").replace("?", "%3F").replace("#1", "%231")

    store = open_here(f"{slashes}{tmp_path}/{escaped}")

    store.write("r1", Write(Absent(("v",)), a_head()))
    assert (tmp_path / name).exists()
    assert isinstance(store, SQLiteStore)
    assert not store.keeps_secrets


def test_memory() -> None:
    """Each is a ledger of its own."""
    first, second = open_here("memory://"), open_here("memory://")

    first.write("r1", Write(Absent(("v",)), a_head()))

    assert second.read("r1") is None


@pytest.mark.parametrize(
    ("url", "table", "region", "endpoint", "keeps_secrets"),
    [
        ("dynamodb://ledger?region=eu-west-1", "ledger", "eu-west-1", None, False),
        (f"dynamodb://{ARN}", ARN, "eu-central-1", None, False),
        (f"dynamodb://{ARN}?keeps_secrets=true", ARN, "eu-central-1", None, True),
        (f"dynamodb://{ARN.replace(':', '%3A')}", ARN, "eu-central-1", None, False),
        (
            "dynamodb://cfn-once-Table-1X?region=eu-west-1&endpoint=http://127.0.0.1:8000/&keeps_secrets=false",
            "cfn-once-Table-1X",
            "eu-west-1",
            "http://127.0.0.1:8000/",
            False,
        ),
        (
            "dynamodb://ledger?endpoint=https%3A%2F%2Fvpce-1.dynamodb.eu-west-1.vpce.amazonaws.com&region=eu-west-1",
            "ledger",
            "eu-west-1",
            "https://vpce-1.dynamodb.eu-west-1.vpce.amazonaws.com",
            False,
        ),
    ],
)
def test_a_table(
    url: str, table: str, region: str, endpoint: str | None, keeps_secrets: bool
) -> None:
    """A name or an ARN, which says its Region; Region, endpoint and protection as options."""
    store = open_here(url, in_lambda=True)

    assert isinstance(store, DynamoDBStore)
    meta = store._table.client.meta
    wanted = endpoint or f"https://dynamodb.{region}.amazonaws.com"
    assert (table, region, wanted) == (store._name, meta.region_name, meta.endpoint_url)
    assert keeps_secrets == store.keeps_secrets


def test_the_region_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lambda names it."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-north-1")

    store: Any = open_here("dynamodb://ledger", in_lambda=True)

    assert "eu-north-1" == store._table.client.meta.region_name


@pytest.mark.parametrize(
    "place", ["{name}", "arn:aws:dynamodb:us-east-1:000000000000:table/{name}"]
)
def test_a_table_at_work(ministack: MiniStack, table: str, place: str, key: str) -> None:
    """What a URL names can be written to, by name and by ARN."""
    place = place.format(name=table)

    store = open_here(f"dynamodb://{place}?region=us-east-1&endpoint={ministack.url}")

    assert store.write(key, Write(Absent(("v",)), a_head())).applied
    assert store.read(key) is not None
