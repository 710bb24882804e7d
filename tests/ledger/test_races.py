"""
Races between processes: one winner each, and no write is lost.

Never on moto, which is no lock: its client refuses a second thread (`keep_to_one_thread`).
"""

from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

from cfn_once.ledger import Head, Store, transitions
from ledger import racing
from support.ministack import MiniStack

PROCESSES, ROUNDS, FEWER = 4, 50, 20
OWNERS = [f"owner-{number}" for number in range(PROCESSES)]


class Racers:
    """Processes with one ledger, and ours to it."""

    def __init__(self, store: Store, pool: ProcessPoolExecutor) -> None:
        self.store, self._pool = store, pool

    def race(self, work: Callable[..., list[Any]], keys: list[str]) -> dict[str, list[Any]]:
        """Let each do the same work on each key in turn, and return the results of each."""
        running = {owner: self._pool.submit(work, owner, keys) for owner in OWNERS}
        return {owner: future.result(racing.PATIENCE) for owner, future in running.items()}

    def begin(self, owner: str, keys: list[str]) -> None:
        """Begin the Create of each key, before a race over it."""
        for key in keys:
            self.store.write(key, transitions.begin(racing.CREATE, racing.candidate(owner)))

    def head(self, key: str) -> Head:
        head = self.store.read(key)
        assert head is not None
        return head


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
    assert [1] * ROUNDS == [sum(won for won, _ in outcomes) for outcomes in rounds]
    assert [1] * ROUNDS == [len({holder for _, holder in outcomes}) for outcomes in rounds]


def test_one_request_resumed_by_many(racers: Racers, key: str) -> None:
    """Of those who take over from a dead execution at the same moment one works."""
    keys = [f"{key}-{number}" for number in range(FEWER)]
    racers.begin("dead", keys)

    results = racers.race(racing.resume, keys)

    wins = [[owner for owner in OWNERS if results[owner][n][0]] for n in range(FEWER)]
    assert [1] * FEWER == [len(winners) for winners in wins]
    assert [winners[0] for winners in wins] == [
        racers.head(key).operation.execution.owner for key in keys
    ]


def test_an_answer_and_newer_requests_at_the_same_moment(racers: Racers, key: str) -> None:
    """Either the response is recorded, or one newer request has the resource; never both."""
    keys = [f"{key}-{number}" for number in range(FEWER)]
    racers.begin(OWNERS[0], keys)

    results = racers.race(racing.overtake, keys)

    heads = [racers.head(key) for key in keys]
    wins = [[owner for owner in OWNERS if results[owner][n][0]] for n in range(FEWER)]
    assert [1] * FEWER == [len(winners) for winners in wins]
    assert [winners[0] for winners in wins] == [head.operation.execution.owner for head in heads]
    assert [winners[0] == OWNERS[0] for winners in wins] == [
        head.operation.is_over for head in heads
    ]
    assert {2} == {head.revision for head in heads}


def test_records_of_many_in_one_head(racers: Racers, key: str) -> None:
    """What one keeps between another's look and its write is never lost: that one looks again."""
    keys = [f"{key}-{number}" for number in range(FEWER)]
    racers.begin("nobody", keys)

    racers.race(racing.count, keys)

    for key in keys:
        head = racers.head(key)
        assert {f"{owner}#0" for owner in OWNERS} == set(head.operation.steps)
        assert set(OWNERS) == {*head.recent[1:]}
        assert PROCESSES == len(head.recent) - 1
        assert PROCESSES + 1 == head.revision
