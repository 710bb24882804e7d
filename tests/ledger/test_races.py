"""
Races between processes: one winner each, and nothing is lost.

Never on moto, which is no lock: its client refuses a second thread (`keep_to_one_thread`).
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

from cfn_once.ledger import Store
from cfn_once.ledger import transitions as _writes
from ledger import racing
from support.ministack import MiniStack

PROCESSES, ROUNDS, FEWER = 4, 50, 20
OWNERS = [f"owner-{number}" for number in range(PROCESSES)]


class Racers:
    """Processes with one ledger, and ours to it."""

    def __init__(self, store: Store, pool: ProcessPoolExecutor) -> None:
        self.store, self._pool = store, pool

    def race(self, work: Callable[..., list[Any]], keys: list[str]) -> dict[str, list[Any]]:
        """Let each do the same work on each key in turn, and return what each came to."""
        running = {owner: self._pool.submit(work, owner, keys) for owner in OWNERS}
        return {owner: future.result(racing.PATIENCE) for owner, future in running.items()}


@pytest.fixture(scope="module", params=["sqlite", "ministack"])
def racers(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Racers]:
    opener: Callable[..., Store]
    if request.param == "sqlite":
        opener = racing.open_sqlite
        arguments = [str(tmp_path_factory.mktemp("races") / "ledger.sqlite3")]
    else:
        ministack: MiniStack = request.getfixturevalue("ministack")
        opener, arguments = racing.open_dynamodb, [request.getfixturevalue("table"), ministack.url]
    spawn = get_context("spawn")
    start = spawn.Barrier(PROCESSES)
    with ProcessPoolExecutor(PROCESSES, spawn, racing.prepare, (start, opener, arguments)) as pool:
        yield Racers(opener(*arguments), pool)


def test_one_request_begun_by_many(racers: Racers, key: str) -> None:
    """Of those who begin a request at the same moment one works, and all know who."""
    keys = [f"{key}-{number}" for number in range(ROUNDS)]

    results = racers.race(racing.begin, keys)

    rounds = list(zip(*results.values(), strict=True))
    assert [1] * ROUNDS == [sum(won for won, _ in one) for one in rounds]
    assert [1] * ROUNDS == [len({holder for _, holder in one}) for one in rounds]


def test_an_answer_and_newer_requests_at_the_same_moment(racers: Racers, key: str) -> None:
    """Either the answer is recorded, or one newer request has the resource; never both."""
    keys = [f"{key}-{number}" for number in range(FEWER)]
    write = _writes.begin(racing.CREATE, racing.claimant(OWNERS[0]))
    for one in keys:
        racers.store.write(one, write)

    results = racers.race(racing.overtake, keys)

    heads = [racers.store.read(one) for one in keys]
    wins = [[owner for owner in OWNERS if results[owner][n][0]] for n in range(FEWER)]
    assert [1] * FEWER == [len(winners) for winners in wins]
    assert [winners[0] for winners in wins] == [head.owner for head in heads if head is not None]
    assert {2} == {head.writes for head in heads if head is not None}


def test_records_of_many_in_one_head(racers: Racers, key: str) -> None:
    """What one keeps between another's look and his write is never lost: he looks again."""
    keys = [f"{key}-{number}" for number in range(FEWER)]
    write = _writes.begin(racing.CREATE, racing.claimant("nobody"))
    for one in keys:
        racers.store.write(one, write)

    racers.race(racing.count, keys)

    for one in keys:
        head = racers.store.read(one)
        assert head is not None
        assert {f"{owner}#0" for owner in OWNERS} == set(head.steps)
        assert sorted(OWNERS) == sorted(map(str, head.history))
        assert (PROCESSES, PROCESSES + 1) == (head.round, head.writes)
