"""Five mistakes that hooks are made with: `assert_safe` tells each as a story, with its line."""

import re
import uuid

import pytest
import requests

from cfn_once import CustomResource, Provider
from cfn_once.testing import FakeApi, assert_safe

api = FakeApi(tokens=False)  # listens when it is first asked for
cache = {}


@pytest.fixture(autouse=True, scope="module")
def listening():
    with api:
        yield


def story_of(mistaken):
    """Return what `assert_safe` tells of a class."""
    with pytest.raises(AssertionError) as told:
        assert_safe(Provider(mistaken, ledger="memory://"), {"Name": "web"}, api)
    return re.sub(" +", " ", str(told.value))


class Group(CustomResource[dict, None]):
    def find(self, step):
        return next(iter(self.http.get(f"{api.url}/groups?token={step.token}").json()), None)

    def make(self, step):
        asked = {"Name": "web", "token": step.token}
        return self.http.post(f"{api.url}/groups", json=asked).json()

    def delete(self):
        self.http.delete(f"{api.url}/groups/{self.physical_resource_id}")


class OutsideOfSteps(Group):
    def create(self):
        made = requests.post(f"{api.url}/groups", json={"Name": "web"}, timeout=5)
        self.physical_resource_id = made.json()["id"]


def test_a_create_outside_of_steps():
    """What is made outside of a step is made again in the next delivery."""
    story = story_of(OutsideOfSteps)

    assert story.startswith("not safe: 2 objects are made, where there should be 1\n")
    assert "Create 1 outside of all steps makes obj-1" in story
    assert "Create 1 the process dies before it writes to the ledger" in story
    assert "outside of all steps makes obj-2" in story
    assert 'made = requests.post(f"{api.url}/groups", json={"Name": "web"}, timeout=5)' in story
    assert "Use self.http in the place of requests" in story


class IdTooLate(Group):
    def create(self):
        made = self.step("group", self.make, find=self.find)
        self.http.put(f"{api.url}/groups/{made['id']}", json={"Size": 3})
        self.physical_resource_id = made["id"]


def test_an_id_that_is_set_too_late():
    """What is made and not yet named is not found by the Delete that follows a failure."""
    story = story_of(IdTooLate)

    assert story.startswith("not safe: 1 object is there when all is deleted, where there should")
    assert "Create 1 http.POST.127.0.0.1 makes obj-1" in story
    assert "Create 1 http.PUT.127.0.0.1 is refused by the external API" in story
    assert 'made = self.step("group", self.make, find=self.find)' in story
    assert 'return self.http.post(f"{api.url}/groups", json=asked).json()' in story
    assert "Set self.physical_resource_id from the result before the next call" in story


class NoLookUp(Group):
    def create(self):
        made = self.http.post(f"{api.url}/groups", json={"Name": "web"}).json()
        self.physical_resource_id = made["id"]


def test_a_look_up_that_is_missing():
    """Without token and look-up nobody knows whether the call acted, and what it made is left."""
    story = story_of(NoLookUp)

    assert story.startswith("not safe: 1 object is there when all is deleted, where there should")
    assert "Create 1 http.POST.127.0.0.1 makes obj-1" in story
    assert "cannot be repeated safely" in story
    assert 'made = self.http.post(f"{api.url}/groups", json={"Name": "web"}).json()' in story
    assert "Give it find=" in story


class RandomName(Group):
    def create(self):
        name = f"web-{uuid.uuid4()}"
        made = self.step(
            "group",
            lambda step: self.http.post(f"{api.url}/groups", json={"Name": name}).json(),
            find=lambda step: next(iter(api.search(Name=name)), None),
        )
        self.physical_resource_id = made["id"]


def test_a_random_name():
    """A replay asks for another name, and does not find what the first run made."""
    story = story_of(RandomName)

    assert story.startswith("not safe: 2 objects are made, where there should be 1\n")
    assert "calls find group" in story
    assert "lambda step: self.http.post(" in story
    assert 'The same step asked for {"Name": "web-' in story
    assert "derive names from self.correlation_id or step.token" in story


class GlobalCache(Group):
    def create(self):
        if "web" not in cache:
            cache["web"] = self.step("group", self.make, find=self.find)["id"]
        self.physical_resource_id = cache["web"]


def test_a_global_cache():
    """What a process keeps is there for the wrong events, and not there for the right ones."""
    story = story_of(GlobalCache)
    first, second = story.split("the second time:")

    assert story.startswith("not safe: the same scenario, without any fault, goes otherwise")
    assert "makes obj-1" in first
    assert "Create 1 answers SUCCESS obj-1" in second
    assert "makes obj-1" not in second
    assert "Keep nothing of what was made in a global" in story
