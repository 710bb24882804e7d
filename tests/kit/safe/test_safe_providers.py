"""Providers that are as they should be pass, under every fault."""

from datetime import timedelta

import pytest

from cfn_once import CustomResource, Provider
from cfn_once.testing import FakeApi, assert_safe


@pytest.fixture
def api():
    with FakeApi() as api:
        yield api


@pytest.fixture
def forgetful():
    """An API that knows no tokens."""
    with FakeApi(tokens=False) as api:
        yield api


def test_an_api_that_takes_tokens(api):
    """A POST is repeated under its key."""

    class Group(CustomResource[dict, None]):
        honours_idempotency_key = {api.url: timedelta(hours=24)}

        def create(self):
            made = self.http.post(f"{api.url}/groups", json={"Name": "web"})
            self.physical_resource_id = made.json()["id"]
            self.http.post(f"{api.url}/alarms", json={"Group": self.physical_resource_id})

        def delete(self):
            alarms = self.http.get(f"{api.url}/alarms?Group={self.physical_resource_id}").json()
            for alarm in alarms:
                self.http.delete(f"{api.url}/alarms/{alarm['id']}")
            self.http.delete(f"{api.url}/groups/{self.physical_resource_id}")

    checked = assert_safe(Provider(Group, ledger="memory://"), {}, api)

    assert checked.complete
    assert 100 < checked.runs < 1000


def test_an_api_that_can_be_looked_up(forgetful):
    """What may have been made is looked up, over HTTP."""

    class Group(CustomResource[dict, None]):
        def create(self):
            self.physical_resource_id = self.step("group", self.make, find=self.find)

        def make(self, step):
            asked = {"Name": self.properties["Name"], "tag": step.token}
            return self.http.post(f"{forgetful.url}/groups", json=asked).json()["id"]

        def find(self, step):
            found = self.http.get(f"{forgetful.url}/groups?tag={step.token}").json()
            return found[0]["id"] if found else None

        def delete(self):
            self.http.delete(f"{forgetful.url}/groups/{self.physical_resource_id}")

    checked = assert_safe(Provider(Group, ledger="memory://"), {"Name": "a"}, forgetful)

    assert checked.complete


def test_an_undo_over_http(forgetful):
    """What only its step knows of, until the Create is over, is removed by an undo over HTTP."""

    class Group(CustomResource[dict, None]):
        def create(self):
            alarm = self.make("alarm", {}, undo=self.drop)
            self.physical_resource_id = self.make("group", {"Alarm": alarm})

        def make(self, name, asked, undo=None):
            return self.step(
                name,
                lambda step: self.http.post(
                    f"{forgetful.url}/{name}s", json={**asked, "tag": step.token}
                ).json()["id"],
                find=lambda step: self.found(f"{forgetful.url}/{name}s?tag={step.token}"),
                undo=undo,
            )

        def found(self, url):
            return next((thing["id"] for thing in self.http.get(url).json()), None)

        def drop(self, made):
            self.http.delete(f"{forgetful.url}/alarms/{made}")

        def delete(self):
            group = f"{forgetful.url}/groups/{self.physical_resource_id}"
            alarm = self.http.get(group).json().get("Alarm")
            if alarm is not None and not self.recovered:
                self.drop(alarm)
            self.http.delete(group)

    checked = assert_safe(Provider(Group, ledger="memory://"), {}, forgetful)

    assert checked.complete


class Plain(CustomResource[dict, None]):
    """Calls of one's own functions; another name is another object."""

    api = FakeApi(tokens=False)

    def replaces(self):
        return "Name" in self.changed

    def create(self):
        self.physical_resource_id = self.step(
            "group",
            lambda step: self.api.create({"token": step.token}),
            find=lambda step: self.api.find(token=step.token),
        )

    def update(self):
        size = {"Size": self.properties.get("Size", 1)}
        self.step(
            "resize", lambda step: self.api.update(self.physical_resource_id, size), repeat=True
        )

    def delete(self):
        self.step("remove", lambda step: self.api.delete(self.physical_resource_id), repeat=True)


@pytest.mark.no_cover  # the same lines as in the other tests, many times as often
def test_a_life_with_two_resources_and_a_second_create():
    """A scenario is any life that ends with nothing."""

    def life(stack):
        stack.create("A", {})
        stack.create("B", {})
        stack.update("A", {"Size": 2})
        stack.delete("A")
        stack.create("A", {})
        stack.delete("A")
        stack.delete("B")

    checked = assert_safe(Provider(Plain, ledger="memory://"), life, Plain.api)

    assert checked.complete


def test_a_replacement():
    """What replaces is made once, what is replaced removed, and a rollback goes back to it."""
    provider = Provider(Plain, ledger="memory://")

    checked = assert_safe(provider, {"Name": "a"}, Plain.api, changed={"Name": "b"})

    assert checked.complete


class AtMostOnce(Plain):
    """An API without tokens, and nothing to look it up by."""

    def create(self):
        self.physical_resource_id = self.step("group", lambda step: self.api.create({}), once=True)


def test_a_doubt_that_is_allowed():
    """What can be neither repeated nor looked up may be left, where an answer tells of it."""
    checked = assert_safe(
        Provider(AtMostOnce, ledger="memory://"), {}, Plain.api, allow_in_doubt=True
    )

    assert checked.complete


def test_a_doubt_is_no_licence():
    """What is known to have been made is never left, and nothing is made twice."""

    class Careless(AtMostOnce):
        def create(self):
            made = self.step("group", lambda step: self.api.create({}), once=True)
            self.step("alarm", lambda step: None, once=True)
            self.physical_resource_id = made

    with pytest.raises(AssertionError, match="1 object is there when all is deleted"):
        assert_safe(Provider(Careless, ledger="memory://"), {}, Plain.api, allow_in_doubt=True)


class Nothing(CustomResource[dict, None]):
    def create(self):
        return None

    def delete(self):
        return None


def test_a_provider_that_makes_nothing():
    """It needs no external API, and answers every request all the same."""
    checked = assert_safe(Provider(Nothing, ledger="memory://"), {})

    assert checked.complete
