"""The plan of the founding month: what is delivered, and when."""

from itertools import islice

import pytest
from benchmarks.month._plan import DAY, START, Plan


def test_the_month_has_the_studys_figures():
    """491,699 creates in 28.45 days; 112 came again, 3 of them twice; each is deleted."""
    plan = Plan()

    assert (491_699, 112, 3) == (plan.creates, plan.multiples, plan.triples)
    assert 2 * 491_699 + 115 == plan.size
    assert "28.45" == f"{plan.creates * plan.every / DAY:.2f}"


def test_a_create_comes_again_ten_minutes_later_when_its_stack_is_gone():
    """Copies are 600 s apart, and come after the Delete; 10 s apart, they come before it."""
    late, soon = (list(Plan(days=0.2, rate=0.05, delay=delay).deliveries()) for delay in (600, 10))
    created = {
        delivery.stack: delivery.at
        for delivery in late
        if delivery.request_type == "Create" and not delivery.copy
    }
    deleted = {
        delivery.stack: delivery.at for delivery in late if delivery.request_type == "Delete"
    }
    copies = [delivery for delivery in late if delivery.copy]

    assert {1, 2} == {copy.copy for copy in copies}
    assert all(copy.at == created[copy.stack] + 600 * copy.copy for copy in copies)
    assert all(copy.at > deleted[copy.stack] for copy in copies)
    assert all(delivery.at < deleted[delivery.stack] for delivery in soon if delivery.copy)
    assert late == sorted(late, key=lambda delivery: delivery.at)


def test_the_same_seed_gives_the_same_month_and_a_day_is_its_beginning():
    """Nothing but the seed decides; `--days 1` replays the first day of the same month."""
    first_day = [
        delivery
        for delivery in islice(Plan().deliveries(), 30_000)
        if delivery.at < START + DAY // 2
    ]
    same = [delivery for delivery in Plan(days=1).deliveries() if delivery.at < START + DAY // 2]

    assert first_day == same
    assert list(Plan(seed=1).copies) != list(Plan(seed=2).copies)


def test_a_copy_is_the_same_event():
    """A copy differs in nothing, not even in its ResponseURL; the Delete has its own RequestId."""
    plan = Plan(days=0.05, rate=0.1)
    stack = next(iter(plan.copies))
    create, copy, delete = (
        plan.event(delivery, "sig-1")
        for delivery in sorted(
            (delivery for delivery in plan.deliveries() if delivery.stack == stack),
            key=lambda delivery: delivery.request_type,
        )[:3]
    )

    assert create == copy
    assert create["RequestId"] != delete["RequestId"]
    assert "sig-1" == delete["PhysicalResourceId"]


@pytest.mark.parametrize(
    ("figures", "said"),
    [
        ({"days": 0}, "--days"),
        ({"days": 31}, "28.45 days"),
        ({"rate": 2}, "--rate is a share"),
        ({"delay": 0}, "--delay"),
        ({"every": 0}, "--every"),
    ],
)
def test_figures_that_make_no_month_are_refused(figures, said):
    """The message names the option."""
    with pytest.raises(ValueError, match=said):
        Plan(**figures)
