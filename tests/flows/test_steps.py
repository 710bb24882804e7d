"""What a step promises its hook."""

import threading
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated

import pytest

from cfn_once import (
    CustomResource,
    NonDeterminism,
    PermanentError,
    Provider,
    Secret,
    StepFailed,
    TemporaryError,
)
from cfn_once.ledger.sqlite import SQLiteStore
from cfn_once.testing import Crashed, FakeCloudFormation

INVENTED = (
    "stack-Thing-1A2B3C4D5E6F"  # as CloudFormation makes one up for a Create that nobody answered
)


def stack(create):
    class Thing(CustomResource[dict, dict]):
        def delete(self):
            pass

    Thing.create = create
    return FakeCloudFormation(Provider(Thing, ledger="memory://"))


def created(create):
    return stack(create).create("Thing")


def test_the_first_run_returns_what_a_replay_will():
    """
    A step returns its record, read again: a tuple comes back as a list, in the first run too.
    """
    seen = []

    def create(self):
        seen.append(self.step("pair", lambda step: {"pair": (1, 2)}))

    created(create)

    assert [{"pair": [1, 2]}] == seen


def test_a_result_that_cannot_be_kept():
    """
    A step whose result is not JSON fails with its name; that it may have happened is kept.
    """
    answer = created(lambda self: self.step("thing", lambda step: object()))

    assert "FAILED" == answer.status
    assert "step thing#0 returned object, which cannot be kept" in answer.reason


def test_a_step_that_failed_for_certain():
    """
    A definitive failure is raised again in a replay, and the function does not run again.
    """
    runs = []

    def refuse(step):
        runs.append(step.token)
        raise PermanentError("no such product")

    def create(self):
        try:
            self.step("refused", refuse)
        except StepFailed as error:
            return {"Why": str(error)}
        raise AssertionError

    cloudformation = stack(create)
    event = cloudformation.event("Create", "Thing")
    first = cloudformation.send(event)

    assert {"Why": "no such product"} == first.data
    assert 1 == len(runs)


def test_tokens_differ_by_step_and_stay_over_deliveries():
    """
    Every step has a token of its own, and the same one however often it is tried.
    """
    tokens = []

    def create(self):
        for name in ("a", "a", "b"):
            self.step(name, lambda step: tokens.append(step.token), window=timedelta(hours=1))

    cloudformation = stack(create)
    cloudformation.create("Thing", crash_after="b")

    assert 4 == len(tokens)
    assert tokens[2] == tokens[3]
    assert 3 == len(set(tokens))


def test_a_step_inside_a_step():
    """
    A step is one side effect: a step inside another one is refused.
    """

    def outer(step, self):
        return self.step("inner", lambda step: 1)

    answer = created(lambda self: self.step("outer", lambda step: outer(step, self)))

    assert "step inner" in answer.reason
    assert "inside another step" in answer.reason


def test_a_step_from_a_second_thread():
    """
    Steps are made one after the other, by the hook's own thread.
    """
    problems = []

    def create(self):
        def run():
            try:
                self.step("thing", lambda step: 1)
            except NonDeterminism as error:
                problems.append(str(error))

        thread = threading.Thread(target=run)
        thread.start()
        thread.join()

    created(create)

    assert 1 == len(problems)
    assert "second thread" in problems[0]


def test_a_hook_that_skips_a_step_it_made():
    """
    A hook that passes over a step which ran before is named as not deterministic.
    """
    there = []

    def create(self):
        if not there:
            self.step("thing", lambda step: there.append(1), window=timedelta(hours=1))
        self.step("other", lambda step: 1, window=timedelta(hours=1))

    cloudformation = stack(create)
    answer = cloudformation.create("Thing", crash_before="other")

    assert "thing#0 ran before and was skipped now" in answer.reason


@pytest.mark.parametrize("name", ["", "a#b", "a/b", "x" * 300])
def test_names_that_are_none(name):
    """
    A step's name goes into its key: it must fit there.
    """
    answer = created(lambda self: self.step(name, lambda step: 1))

    assert "cannot name a step" in answer.reason


def test_a_temporary_error_lets_lambda_come_again():
    """
    TemporaryError gives the claim back; another delivery goes on, and the last one is FAILED.
    """
    tries = []

    def create(self):
        tries.append(1)
        if len(tries) < 3:
            raise TemporaryError("the API is being deployed")

    cloudformation = stack(create)
    event = cloudformation.event("Create", "Thing")
    with pytest.raises(TemporaryError):
        cloudformation.send(event)
    with pytest.raises(TemporaryError):
        cloudformation.send(event)
    answer = cloudformation.send(event)

    assert answer.succeeded


def test_a_temporary_error_that_does_not_end():
    """
    When no further delivery is to be expected, it is FAILED, and nobody hangs.
    """

    def create(self):
        raise TemporaryError("for ever")

    answer = created(create)

    assert ("FAILED", "for ever") == (answer.status, answer.reason)


@pytest.mark.parametrize("swallows", [False, True])
def test_a_look_up_that_has_no_time(swallows):
    """
    What is in doubt when no time is left to look it up is left to Lambda's next delivery, whatever
    the hook makes of that.
    """
    calls, made = [], []

    def create(self):
        cloudformation.clock.sleep(90)
        try:
            self.step("thing", make, find=lambda step: next(iter(made), None))
        except BaseException:
            if not swallows:
                raise

    def make(step):
        calls.append(step.token)
        if len(calls) == 1:
            raise TimeoutError("no answer came")
        made.append(step.token)
        return step.token

    cloudformation = stack(create)
    answer = cloudformation.create("Thing")

    assert answer.succeeded
    assert (2, 1, 1) == (len(calls), len(set(calls)), len(made))


def test_a_last_try_of_which_the_ledger_counts_only_the_first():
    """
    A try that died before its claim is in no count: three minutes old, a request is answered.
    """

    def create(self):
        raise TemporaryError("for ever")

    cloudformation = stack(create)
    event = cloudformation.event("Create", "Thing")
    cloudformation.clock.advance(179)
    with pytest.raises(TemporaryError):
        cloudformation.send(event)
    cloudformation.clock.advance(2)

    assert "FAILED" == cloudformation.send(event).status


def test_a_secret_result_is_never_kept():
    """
    A secret result is there in the run that made it and in no later one, and never in the ledger.
    """
    seen = []

    def create(self):
        seen.append(self.step("key", lambda step: "hunter22", secret=True, window=timedelta(1)))
        self.step("other", lambda step: 1, once=True)

    cloudformation = stack(create)
    answer = cloudformation.create("Thing", crash_before="other")

    assert ["hunter22"] == seen
    assert "step key#0" in answer.reason
    assert "hunter22" not in str(vars(cloudformation.ledger))


def test_hooks_that_swallow_everything():
    """
    An execution that lost the resource stops at its next step, whatever its hook catches.
    """
    runs = []

    def create(self):
        for number in range(3):
            try:
                self.step(f"step-{number}", lambda step: runs.append(step.token), once=True)
            except BaseException:  # the worst of hooks
                continue

    cloudformation = stack(create)
    create_event = cloudformation.event("Create", "Thing")
    delete = cloudformation.event("Delete", "Thing", {}, physical_resource_id=INVENTED)

    def overtake():
        with pytest.raises(Exception, match="not over yet"):
            cloudformation.send(delete)

    cloudformation.send(create_event, meanwhile={"step-0": overtake})

    assert 1 == len(runs)
    assert None is cloudformation.answer_to(create_event)


def test_an_error_of_the_network_is_tried_again_under_the_token():
    """
    A call whose answer was lost is repeated with the same token where the API remembers it.
    """
    tokens = []

    def make(step):
        tokens.append(step.token)
        if len(tokens) < 3:
            raise TimeoutError("no answer")
        return "made"

    answer = created(lambda self: {"It": self.step("thing", make, window=timedelta(hours=1))})

    assert {"It": "made"} == answer.data
    assert 3 == len(tokens)
    assert 1 == len(set(tokens))


def test_an_error_of_the_code_is_not_tried_again():
    """
    An error of the function's own is in doubt at once: trying again would raise it again.
    """
    runs = []

    def make(step):
        runs.append(1)
        raise KeyError("id")

    answer = created(lambda self: self.step("thing", make, find=lambda step: None))

    assert "in doubt: step thing#0" in answer.reason
    assert 1 == len(runs)


def test_a_look_up_that_changes_something():
    """
    find= only reads.
    """

    def find(step, self):
        return self.http.post("http://127.0.0.1:9/never")

    def create(self):
        def lost(step):
            raise TimeoutError

        self.step("thing", lost, find=lambda step: find(step, self))

    answer = created(create)

    assert "a look-up must only read" in answer.reason


def looked_up_badly(cloudformation, group_class, find):
    """Let a Create die in a step, look it up with `find`, and delete it with the right look-up."""
    create = cloudformation.event("Create", "Group", {"Product": "Linux/UNIX"})
    with pytest.raises(Crashed):
        cloudformation.send(create, crash_after="group")
    right, group_class.find = group_class.find, find
    answer = cloudformation.deliver(create)
    group_class.find = right
    delete = cloudformation.event(
        "Delete",
        "Group",
        {"Product": "Linux/UNIX"},
        physical_resource_id=answer.physical_resource_id,
    )
    cloudformation.deliver(delete)
    return answer


def test_a_look_up_that_fails(cloudformation, group_class, groups):
    """
    A look-up that fails leaves the doubt on the books: the Delete looks again, and cleans up.
    """

    def broken(self, step):
        raise KeyError("items")

    answer = looked_up_badly(cloudformation, group_class, broken)

    assert "the find= of step" in answer.reason
    assert (["sig-1"], ["sig-1"]) == (groups.created, groups.deletes)


@pytest.mark.parametrize("empty", [[], (), "", False], ids=repr)
def test_a_look_up_that_returns_an_empty_answer(cloudformation, group_class, groups, empty):
    """
    An empty list is neither what was found nor None: the step stays in doubt, and its Delete
    looks again.
    """
    answer = looked_up_badly(cloudformation, group_class, lambda self, step: empty)

    assert f"failed with an empty answer, {empty!r}: return what was found" in answer.reason
    assert (["sig-1"], ["sig-1"]) == (groups.created, groups.deletes)


@pytest.mark.parametrize("size", [100, 5_000, 290_000])
def test_long_results(size):
    """
    A long result lies beside the head, and a replay reads it as the first run did.
    """
    seen = []

    def create(self):
        seen.append(self.step("long", lambda step: "x" * size, window=timedelta(hours=1)))
        self.step("other", lambda step: 1, window=timedelta(hours=1))

    cloudformation = stack(create)
    answer = cloudformation.create("Thing", crash_before="other")

    assert answer.succeeded
    assert ["x" * size] * 2 == seen
    assert len(str(cloudformation.ledger.read("r" + key_of(cloudformation)))) < 4000


def key_of(cloudformation):
    from cfn_once import Request

    return Request.from_event(cloudformation.answers[0][0]).correlation_id


def test_a_result_that_is_too_long():
    """
    A result that no item could hold fails with the step's name and its size.
    """
    answer = created(lambda self: self.step("long", lambda step: "x" * 400_000))

    assert "step long#0 returned 400002 bytes" in answer.reason


@dataclass(frozen=True)
class Guarded:
    Password: Annotated[str, Secret] = ""


@pytest.mark.parametrize("before", [0, 990, 995])
def test_a_long_error_with_a_secret(tmp_path, before):
    """
    An error too long to be kept whole is masked first and then cut: no part of a secret is kept.
    """

    class Thing(CustomResource[Guarded, None]):
        def create(self):
            self.step("thing", refuse)

        def delete(self):
            pass

    def refuse(step):
        raise PermanentError("x" * before + "canary-hunter22" + "y" * 400_000)

    store = SQLiteStore(str(tmp_path / "ledger.sqlite3"))
    cloudformation = FakeCloudFormation(Provider(Thing, ledger="memory://"), ledger=store)
    answer = cloudformation.create("Thing", {"Password": "canary-hunter22"})
    kept = b"".join(file.read_bytes() for file in tmp_path.iterdir())

    assert "FAILED" == answer.status
    assert b"xxx" in kept or b"*****" in kept
    assert b"cana" not in kept  # nor the beginning of it


def test_many_results():
    """
    A head does not grow with the number of results: beyond 32 KB each lies outside.
    """

    def create(self):
        for number in range(60):
            self.step(f"s{number}", lambda step: "x" * 1000, window=timedelta(hours=1))

    cloudformation = stack(create)
    cloudformation.create("Thing")
    head = cloudformation.ledger.read("r" + key_of(cloudformation))

    steps = head.to_doc()["op"]["steps"]
    assert 60 == len(steps)
    assert len(str(steps)) < 45_000


def test_two_calls_of_one_step_bear_two_tokens(groups):
    """
    Calls inside one step are told apart by the external API: each has a token of its own, and the
    same one in every run.
    """
    tokens = []

    class Steps(CustomResource[dict, dict]):
        def create(self):
            self.step("two", self.two, window=timedelta(hours=1))
            raise TemporaryError("again")

        def two(self, step):
            for _ in range(2):
                self._steps.caller.call_inside_step(
                    "call",
                    lambda step: tokens.append(step.token),
                    lambda error: None,
                    single=False,
                )
            tokens.append(step.token)

        def delete(self):
            pass

    FakeCloudFormation(Provider(Steps, ledger="memory://")).create("Thing")

    assert tokens[0] == tokens[2]
    assert tokens[1] != tokens[0]


def test_one_name_for_two_different_calls():
    """
    A step that was recorded as a call of one function is not replayed as a call of another.
    """
    runs = []

    def one(step):
        runs.append("one")

    def other(step):
        runs.append("other")

    def create(self):
        self.step("thing", other if runs else one, window=timedelta(hours=1))
        self.step("behind", lambda step: 1, window=timedelta(hours=1))

    cloudformation = stack(create)
    answer = cloudformation.create("Thing", crash_before="behind")

    assert "step thing#0" in answer.reason
    assert ["one"] == runs


def test_a_clock_that_is_set_back(cloudformation, group_class, groups):
    """
    A clock that jumps back an hour while a hook works makes no second effect, and no wait longer
    than Lambda's own time.
    """
    make = group_class.make

    def set_back(self, step):
        cloudformation.clock.advance(-3600)
        return make(self, step)

    group_class.make = set_back
    create = cloudformation.event("Create", "Group", {"Product": "Linux/UNIX"})

    first, second = (cloudformation.send(create) for _ in range(2))

    assert first.body == second.body
    assert ["sig-1"] == groups.created
    cloudformation.clock.advance(7200)  # CloudFormation dates its requests by a clock of its own
    cloudformation.deliver(cloudformation.event("Delete", "Group", physical_resource_id="sig-1"))


def test_a_step_that_new_code_has_renamed_while_it_is_in_doubt():
    """
    A process dies in a step, and the next delivery's code calls it otherwise: what it may have made
    is not passed over. The request fails, and its Delete names the step.
    """
    names, made = ["old", "last"], []

    class Thing(CustomResource[dict, dict]):
        def create(self):
            for name in names:
                self.step(name, lambda _, name=name: made.append(name), once=True)

        delete = None

    cloudformation = FakeCloudFormation(Provider(Thing, ledger="memory://"))
    create = cloudformation.event("Create", "Thing")
    with pytest.raises(Crashed):
        cloudformation.send(create, crash_after="old")
    names[0] = "new"
    cloudformation.clock.advance(300)
    answer = cloudformation.deliver(create)
    deleted = cloudformation.deliver(
        cloudformation.event("Delete", "Thing", physical_resource_id=answer.physical_resource_id)
    )

    assert "old#0 ran before and was skipped now" in answer.reason
    assert deleted.reason.startswith("in doubt: old#0 of ")


def test_a_step_may_not_be_named_as_a_call_of_self_http():
    """
    An operator's words about such a step would be taken for the body of a response.
    """

    def create(self):
        self.step("http.make", lambda step: 1, once=True)

    assert "names beginning with http. are of self.http" in created(create).reason
