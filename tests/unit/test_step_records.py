"""How records of steps are kept: as short as they can be, for each later write pays for them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cfn_once.ledger import Operation, StepRecord

texts = st.none() | st.sampled_from(["", "null", '"thing-1"', "V", "Vnull", '{"id": "€"}'])
records = st.builds(
    StepRecord,
    state=st.sampled_from("SDFWV"),
    result=texts,
    spilled=st.booleans(),
    secret=st.booleans(),
    generation=st.integers(0, 2),
    round=st.integers(0, 2),
    first_used=st.sampled_from([0, 1_812_345_678_987]),
    arguments=st.none() | st.sampled_from(["", "abc23", "22345", "V2345", "0123456789abcdef"]),
    undo=st.booleans(),
)


@given(st.dictionaries(st.sampled_from(["a#0", "b#0", "/c#1"]), records))
def test_what_is_kept_is_read_again(steps):
    """Whatever is known of a step, another process reads the same."""
    operation = Operation(steps=steps)

    read = Operation.from_doc(operation.to_doc())

    assert operation == read
    assert steps == dict(read.steps)


@pytest.mark.parametrize(
    ("record", "kept"),
    [
        (StepRecord(arguments="abc23", result='"thing-1"'), 'abc23"thing-1"'),
        (StepRecord(state="V", result="null"), "Vnull"),
        (StepRecord(arguments="abc23", result="1", undo=True), {"a": "abc23", "r": "1", "u": True}),
        (StepRecord(state="S", arguments="abc23"), {"s": "S", "a": "abc23"}),
    ],
    ids=str,
)
def test_a_record_with_nothing_but_its_result(record, kept):
    """It is text; anything else to say of a step makes it a document."""
    assert kept == record.to_doc()
