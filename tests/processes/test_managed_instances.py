"""Lambda Managed Instances: real processes that nobody ends when their time is over."""

import time

from support.runtime_api import Ending

MANAGED = {"AWS_LAMBDA_INITIALIZATION_TYPE": "lambda-managed-instances"}
LONG = 60.0  # seconds that a process is left alone after its deadline


def test_a_worker_that_is_stuck_is_ended_at_its_deadline(start, stack, api, bucket):
    """
    C code that lets no other thread run: no watchdog answers, Lambda ends nothing, and the process
    ends by itself when its time is over. The next try takes over: the thing is made once.
    """
    function = start("ending", api, environment=MANAGED, overtime=LONG)
    sandbox = function.sandbox()
    sandbox.warm_up()
    create = stack("Custom::Stuck").create(Name="web")

    began = time.monotonic()
    first = sandbox.invoke(create)
    lived = time.monotonic() - began
    function.deliver(create, sandbox)

    assert Ending.DIED == first.ending
    assert function.timeout <= lived < function.timeout + 2
    assert "in create" in first.log  # where it was
    assert "web" not in first.log
    assert 1 == len(api.created)
    assert ["SUCCESS"] == [answer["Status"] for answer in bucket.answers_to(create)]


def test_a_worker_whose_hooks_come_back_lives_on(start, stack, api, bucket):
    """
    What is armed for one event ends no process in the time of another one.
    """
    function = start("ending", api, environment=MANAGED, overtime=LONG, timeout=3.0)
    sandbox, shop = function.sandbox(), stack("Custom::Stuck")
    (sandbox.folder / "came before").touch()
    create = shop.create(Name="web")
    function.deliver(create, sandbox)
    time.sleep(function.timeout)

    again = sandbox.invoke(create)
    function.deliver(shop.delete_after(create), sandbox)

    assert (Ending.RESPONSE, None) == (again.ending, again.init)
    assert {} == api.objects
    assert 2 == len(bucket.bodies_for(create))


def test_nobody_has_said_that_a_worker_may_be_ended(start, stack, api, bucket):
    """
    Nothing is made: FAILED, which says why and what to write.
    """
    function = start("managed", api, environment=MANAGED, overtime=LONG)
    create = stack("Custom::Stuck").create(Name="web")

    function.deliver(create)

    [answer] = bucket.answers_to(create)
    assert "FAILED" == answer["Status"]
    assert "Provider(..., ends_process=True)" in answer["Reason"]
    assert [] == api.created
