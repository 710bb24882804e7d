"""What `assert_safe` asks besides: what was there stays, and a ServiceTimeout may be set."""

from datetime import timedelta

import pytest

from cfn_once import CustomResource, Provider
from cfn_once.testing import FakeApi, assert_safe


class Shared:
    """An API on which somebody else's objects live from the start."""

    def __init__(self, *theirs, mapping=True):
        self.theirs, self.mapping = theirs, mapping
        self.live, self.created = {}, []

    @property
    def objects(self):
        return self.live if self.mapping else sorted(self.live)

    def reset(self):
        self.live.clear()
        self.live.update(dict.fromkeys(self.theirs, "theirs"))
        self.created.clear()

    def make(self, name, token):
        self.live[name] = token
        self.created.append(name)
        return name

    def find(self, token):
        return next((name for name, held in self.live.items() if held == token), None)

    def drop(self, name):
        self.live.pop(name, None)


def database_on(api, *, name_of=lambda self, step: f"db-{step.token[:8]}"):
    class Database(CustomResource[dict, None]):
        def create(self):
            self.physical_resource_id = self.step(
                "make",
                lambda step: api.make(name_of(self, step), step.token),
                find=lambda step: api.find(step.token),
            )

        def delete(self):
            self.step("drop", lambda step: api.drop(self.physical_resource_id), repeat=True)

    return Database


def refusal_of(kind, api, scenario=None, **options):
    with pytest.raises(AssertionError) as told:
        assert_safe(
            Provider(kind, ledger="memory://"), scenario or {"Name": "shop"}, api, **options
        )
    return str(told.value)


@pytest.mark.parametrize("mapping", [True, False])
def test_what_was_there_before_does_not_count(mapping):
    """
    Objects of somebody else's are neither left over nor made too often.
    """
    api = Shared("shop", "other", mapping=mapping)

    assert assert_safe(
        Provider(database_on(api), ledger="memory://"), {"Name": "shop"}, api
    ).complete


def test_a_delete_by_name():
    """
    A Delete that removes what bears a name is told with its line, and with what it removed.
    """
    api = Shared("shop")

    class Careless(database_on(api)):
        def delete(self):
            super().delete()
            self.step("drop by name", lambda step: api.drop(self.properties["Name"]), repeat=True)

    told = refusal_of(Careless, api)

    assert told.startswith(
        "not safe: shop was there before the scenario, and is gone when all is deleted\n"
    )
    assert "drop by name removes shop, which nobody made in this scenario" in told
    assert 'lambda step: api.drop(self.properties["Name"])' in told


def test_an_upsert():
    """
    A Create that takes over what is there under its name makes its Delete remove it.
    """
    api = Shared("shop", "other")
    told = refusal_of(database_on(api, name_of=lambda self, step: self.properties["Name"]), api)

    assert "shop was there before the scenario, and is gone" in told.splitlines()[0]
    assert "other" not in told.splitlines()[0]


def test_a_look_up_that_finds_somebody_elses():
    """
    A look-up by name finds what another one made, so that the Delete removes it: only a fault
    leads there.
    """
    api = Shared("shop")

    class ByName(database_on(api)):
        def create(self):
            self.physical_resource_id = self.step(
                "make",
                lambda step: api.make(f"db-{step.token[:8]}", step.token),
                find=lambda step: next(iter(api.objects), None),
            )

    told = refusal_of(ByName, api)

    assert "shop was there before the scenario, and is gone" in told.splitlines()[0]
    assert "the process dies" in told
    assert "drop removes shop" in told


class Emptying(CustomResource[dict, None]):
    """Empties a bucket before it is deleted: to remove what others made is what it is for."""

    api = Shared("a.txt", "b.txt", "kept.txt")
    goes = ("a.txt", "b.txt")

    def create(self):
        pass

    def delete(self):
        for name in self.goes:
            self.step(f"drop {name}", lambda step, name=name: self.api.drop(name), repeat=True)


def test_what_hooks_are_there_to_remove():
    """
    It may be named; then it must go under every fault, and the rest must stay.
    """
    provider = Provider(Emptying, ledger="memory://")

    assert assert_safe(provider, {}, Emptying.api, may_remove=Emptying.goes).complete


def test_what_hooks_remove_besides():
    """
    One object is named, and the other goes as well.
    """
    told = refusal_of(Emptying, Emptying.api, may_remove=["a.txt"])

    assert "b.txt was there before the scenario, and is gone" in told.splitlines()[0]
    assert 'may_remove=["b.txt"]' in told


def remembering(api, window):
    class Group(CustomResource[dict, None]):
        honours_idempotency_key = {api.url: window}

        def create(self):
            made = self.http.post(f"{api.url}/groups", json={"Name": "web"}).json()
            self.physical_resource_id = made["id"]

        def delete(self):
            self.http.delete(f"{api.url}/groups/{self.physical_resource_id}")

    return Group


def test_a_token_that_is_forgotten_within_the_hour():
    """
    Without a ServiceTimeout the Delete of a Create that died comes an hour later, when the API has
    forgotten the token; with one it comes in time. The advice names it, and is right.
    """
    with FakeApi(window=1800) as api:
        group = remembering(api, timedelta(minutes=30))
        told = refusal_of(group, api, {"Name": "web"})
        provider = Provider(group, ledger="memory://")
        safe = assert_safe(provider, {"Name": "web", "ServiceTimeout": "601"}, api)

    assert told.splitlines()[-1].startswith("With ServiceTimeout: 601 it is safe:")
    assert safe.complete


def test_a_token_that_is_forgotten_at_once():
    """
    Where no ServiceTimeout helps, none is advised.
    """
    with FakeApi(window=10) as api:
        told = refusal_of(remembering(api, timedelta(minutes=30)), api)

    assert "ServiceTimeout" not in told


class Hurried(CustomResource[dict, None]):
    """It takes a ServiceTimeout for a reason to give up."""

    def create(self):
        if self.request.service_timeout < 3600:
            raise RuntimeError("there is no time")

    def delete(self):
        pass


def test_a_provider_that_fails_with_a_service_timeout():
    """
    Safe without one is not safe: the default scenario has it too, and says so.
    """
    told = refusal_of(Hurried, None, {"Name": "web"})

    assert told.startswith("not safe with a ServiceTimeout of 601 s: the Create is FAILED")


def test_a_wait_that_is_longer_than_any_service_timeout():
    """
    What no invocation and no continuation can wait for is told with the limit that it meets.
    """

    class Ages(CustomResource[dict, None]):
        def create(self):
            self.wait(4000)

        def delete(self):
            pass

    told = refusal_of(Ages, None, {"Name": "web"})

    assert "never for more than an hour" in told


class Drawers(dict):
    """An external API that is a map, and counts nothing itself."""

    objects = property(lambda self: self)
    reset = dict.clear


def test_an_api_that_counts_nothing():
    """
    What appears is made, though it was there before under the same name.
    """
    drawers = Drawers()

    class Again(CustomResource[dict, None]):
        def create(self):
            self.physical_resource_id = "drawer"
            for number in range(2):
                drawers.pop("drawer", None)
                self.step(f"make {number}", lambda step: drawers.update(drawer=1), repeat=True)

        def delete(self):
            self.step("drop", lambda step: drawers.pop("drawer", None) and None, repeat=True)

    told = refusal_of(Again, drawers)

    assert "objects are made, where there should be 2" in told
