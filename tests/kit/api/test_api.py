"""The external API of tests: it counts, forgets and fails as it is told."""

import pytest
import requests

from cfn_once.testing import ApiError, FakeApi, VirtualClock


@pytest.fixture
def api():
    with FakeApi() as api:
        yield api


def post(api, *, key=None, **properties):
    headers = {"Idempotency-Key": key} if key else {}
    return requests.post(f"{api.url}/groups", json=properties, headers=headers, timeout=5)


def test_a_life_over_http(api):
    """What is made is listed, found, changed and removed; then it is not there."""
    made = post(api, Name="web").json()
    url = f"{api.url}/groups/{made['id']}"
    post(api, Name="mail")

    assert {"id": "obj-1", "Name": "web"} == made
    assert [made] == requests.get(f"{api.url}/groups?Name=web", timeout=5).json()
    assert 2 == len(requests.get(f"{api.url}/groups", timeout=5).json())
    assert requests.put(url, json={"Size": 3}, timeout=5).ok
    assert {"id": "obj-1", "Name": "web", "Size": 3} == requests.get(url, timeout=5).json()
    assert 204 == requests.delete(url, timeout=5).status_code
    assert [404] * 3 == [
        requests.get(url, timeout=5).status_code,
        requests.put(url, json={}, timeout=5).status_code,
        requests.delete(url, timeout=5).status_code,
    ]
    assert {"obj-2": {"Name": "mail"}} == api.objects
    assert ["obj-1", "obj-2"] == api.created


def test_what_is_not_understood(api):
    """A body must be a JSON map, and a method must fit its path."""
    wrong = requests.post(f"{api.url}/groups", data="no JSON", timeout=5)
    lost = requests.delete(f"{api.url}/groups", timeout=5)

    assert (400, 405) == (wrong.status_code, lost.status_code)
    assert "must be a JSON map" in wrong.json()["message"]


@pytest.mark.parametrize("tokens", [True, False])
def test_tokens(tokens):
    """A token makes it once, where the external API knows tokens."""
    api = FakeApi(tokens=tokens)

    made = [api.create({"Name": "web"}, token="T") for _ in range(2)]

    assert made == (["obj-1", "obj-1"] if tokens else ["obj-1", "obj-2"])
    assert ["T", "T"] == [call.token for call in api.calls]


def test_a_key_over_http(api):
    """The header is such a token."""
    assert post(api, key="K", Name="web").json() == post(api, key="K", Name="web").json()
    assert 1 == len(api.objects)


def test_a_token_for_something_else(api):
    """A known token with other properties is refused, whatever has become of the object."""
    made = api.create({"Name": "web"}, token="T")
    api.update(made, {"Name": "other"})

    assert made == api.create({"Name": "web"}, token="T")
    assert 422 == post(api, key="T", Name="mail").status_code


def test_a_token_that_is_forgotten():
    """After the window the same token makes another object."""
    clock = VirtualClock()
    api = FakeApi(window=60, clock=clock)
    made = []
    for pause in (0, 60, 1):
        clock.advance(pause)
        made.append(api.create({}, token="T"))

    assert ["obj-1", "obj-1", "obj-2"] == made


def test_failures(api):
    """It fails before or after it acts, as often as it is told, and where it is told."""
    api.fail("create", times=2)
    api.fail("create", after=True, status=500)

    assert [503, 503, 500, 201] == [post(api, Name="web").status_code for _ in range(4)]
    assert ["obj-1", "obj-2"] == list(api.objects)
    assert 4 == len(api.calls)


def test_a_failure_of_a_plain_call(api):
    """Plain calls raise what the status would say."""
    api.fail()

    with pytest.raises(ApiError, match="503") as failed:
        api.find(Name="web")

    assert 503 == failed.value.status
    with pytest.raises(ApiError, match="404: there is no obj-9"):
        api.get("obj-9")
    assert not api.delete("obj-9")


def test_a_failure_of_no_operation(api):
    """A failure that could not happen is refused."""
    with pytest.raises(ValueError, match="no operation 'make': there are create, find"):
        api.fail("make")


def test_reset(api):
    """Everything is forgotten, and it listens on."""
    post(api, key="K", Name="web")
    api.fail()
    url = api.url
    api.reset()

    assert ({}, [], []) == (api.objects, api.created, api.calls)
    assert 201 == post(api, key="K", Name="other").status_code
    assert url == api.url


def test_two_apis():
    """Each has objects of its own, and listens only when it is asked for its URL."""
    with FakeApi() as one, FakeApi() as other:
        one.create({})

        assert {} == other.objects
        assert one.url != other.url
