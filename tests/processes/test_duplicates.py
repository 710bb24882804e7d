"""The stories that need real processes: they die, freeze and run side by side."""

from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from support.host import HANG_UP
from support.runtime_api import Ending

MOMENTS = ["before create", "after create"]
RESOLVED = ["Custom::LookedUp", "Custom::Repeated"]


@pytest.mark.parametrize("resource_type", [*RESOLVED, "Custom::Plain"])
def test_every_event_comes_again(start, stack, api, bucket, resource_type):
    """
    Copies, in a warm process and in a new one, get the same bytes and do nothing; a Create that
    comes back after its Delete has neither effect nor answer.
    """
    function, shop = start("provider", api), stack(resource_type)
    sandbox = function.sandbox()
    create = shop.create(Name="web")

    for place in (sandbox, sandbox, function.sandbox()):
        function.deliver(create, place)
    made, delete = dict(api.objects), shop.delete_after(create)
    for event in (delete, delete, create):
        function.deliver(event, sandbox)

    assert ["group-1"] == list(made)
    assert 1 == len(api.created)
    assert 1 == api.count("delete")
    assert {} == api.objects
    assert 3 == len(bucket.bodies_for(create))
    assert 1 == len(set(bucket.bodies_for(create)))
    assert ["SUCCESS"] * 2 == [answer["Status"] for answer in bucket.answers_to(delete)]


def test_twins_in_two_sandboxes(start, stack, api, bucket):
    """
    Of two copies at the same time one works; the other waits and gives the same answer.
    """
    function = start("provider", api)
    create = stack("Custom::Plain").create(Name="web")
    sandboxes = [function.sandbox() for _ in range(2)]
    for sandbox in sandboxes:
        sandbox.warm_up()
    api.delay = 0.3

    twins = [function.enqueue(create, sandbox) for sandbox in sandboxes]
    ended = [attempt.ending for twin in twins for attempt in twin.result()]

    assert [Ending.RESPONSE] * 2 == ended
    assert 1 == len(api.created)
    assert ["group-1"] * 2 == [answer["PhysicalResourceId"] for answer in bucket.answers_to(create)]
    assert 1 == len(set(bucket.bodies_for(create)))


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("resource_type", RESOLVED)
def test_killed_in_a_call_that_can_be_resolved(start, stack, api, bucket, resource_type, moment):
    """
    A process dies around its call; the retry finds what was made, or makes it, once.
    """
    function, shop = start("provider", api), stack(resource_type)
    sandbox = function.sandbox()
    create = shop.create(Name="web")
    api.accidents[moment] = sandbox.kill

    attempts = function.deliver(create, sandbox)
    made = list(api.objects)
    function.deliver(shop.delete_after(create), sandbox)

    assert [Ending.DIED, Ending.RESPONSE] == [attempt.ending for attempt in attempts]
    assert 1 == len(api.created)
    assert ["group-1"] == made
    assert ["group-1"] == [answer["PhysicalResourceId"] for answer in bucket.answers_to(create)]
    assert {} == api.objects


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_in_a_call_that_nobody_can_resolve(start, stack, api, bucket, moment):
    """
    Where the API can tell nothing, the call is never made again: the answer names it, and so
    does the Delete's.
    """
    function, shop = start("provider", api), stack("Custom::Plain")
    sandbox = function.sandbox()
    create = shop.create(Name="web")
    api.accidents[moment] = sandbox.kill

    function.deliver(create, sandbox)
    function.deliver(create, function.sandbox())
    delete = shop.delete_after(create)
    function.deliver(delete, sandbox)

    failed, again = bucket.answers_to(create)
    (deleted,) = bucket.answers_to(delete)
    assert (moment == "after create") == len(api.created)
    assert failed == again
    assert "FAILED" == failed["Status"]
    assert "step http.POST.127.0.0.1#0" in failed["Reason"]
    assert "may have run" in failed["Reason"]
    assert "SUCCESS" == deleted["Status"]
    assert deleted["Reason"].startswith("in doubt: http.POST.127.0.0.1#0")


def test_killed_before_it_could_tell(start, stack, api, bucket):
    """
    What is recorded is told by the next delivery, wherever it runs, and without waiting.
    """
    function = start("provider", api)
    sandbox = function.sandbox()
    create = stack("Custom::Plain").create(Name="web")

    def lost(request):
        sandbox.kill()
        return HANG_UP

    bucket.behaviours[:] = [lost, bucket.take]

    attempts = function.deliver(create, sandbox, function.sandbox())

    assert [Ending.DIED, Ending.RESPONSE] == [attempt.ending for attempt in attempts]
    assert 1 == len(api.created)
    assert ["group-1"] == [answer["PhysicalResourceId"] for answer in bucket.answers_to(create)]


def test_a_retry_in_another_sandbox(start, stack, api, bucket):
    """
    Nothing proves from afar that a process is dead, so its lease must end first: a delivery that
    comes too early is sent back to Lambda, and a later one goes on.
    """
    function = start("provider", api, timeout=3)
    first, second = function.sandbox(), function.sandbox()
    create = stack("Custom::LookedUp").create(Name="web")
    second.warm_up()
    api.accidents["after create"] = first.kill

    died, early, late = function.deliver(create, first, second)

    assert Ending.DIED == died.ending
    assert "InProgress" == early.document["errorType"]
    assert Ending.RESPONSE == late.ending
    assert 1 == len(api.created)
    assert ["group-1"] == [answer["PhysicalResourceId"] for answer in bucket.answers_to(create)]


def test_a_process_that_wakes_after_its_work_was_taken_over(start, stack, api, bucket):
    """
    It froze in its call, and thaws while another one is at work in its place: it makes nothing
    more, decides nothing and tells nothing. What it may do is what can be done again at will.
    """
    function = start("provider", api, timeout=3, overtime=20)
    sleeper, other = function.sandbox(), function.sandbox()
    shop = stack("Custom::LookedUp")
    create = shop.create(Name="web")
    asleep, taken_over = Event(), Event()
    api.accidents["after create"] = lambda: (sleeper.freeze(), asleep.set())
    api.accidents["after update"] = taken_over.set
    api.ready = False

    with ThreadPoolExecutor() as threads:
        sleeping = threads.submit(sleeper.invoke, create)
        assert asleep.wait(10)
        working = threads.submit(function.deliver, create, other)
        assert taken_over.wait(10)
        sleeper.thaw()
        api.ready = True
        woken = sleeping.result()
        early, late = working.result()
    function.deliver(shop.delete_after(create), other)

    assert "InProgress" == woken.document["errorType"]
    assert "InProgress" == early.document["errorType"]
    assert Ending.RESPONSE == late.ending
    assert 1 == len(bucket.bodies_for(create))
    assert 1 == len(api.created)
    assert 2 == api.count("update")
    assert {} == api.objects


def test_killed_at_the_deadline_each_time(start, stack, api, bucket):
    """
    A hook that makes a thing and then waits in vain makes one, however often it is tried, and the
    Delete that follows, with an id that CloudFormation made up, finds it.
    """
    function, shop = start("provider", api, timeout=2), stack("Custom::Repeated")
    sandbox = function.sandbox()
    create = shop.create(Name="web")
    api.ready = False

    function.deliver(create, sandbox)
    api.ready = True
    delete = shop.delete_after(create)
    function.deliver(delete, sandbox)

    assert 1 == len(api.created)
    assert len(set(bucket.bodies_for(create))) <= 1
    assert ["SUCCESS"] == [answer["Status"] for answer in bucket.answers_to(delete)]
    assert {} == api.objects
