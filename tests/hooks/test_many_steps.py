"""How many steps a request may make."""

from datetime import timedelta

import pytest

from cfn_once import CustomResource, Provider
from cfn_once.testing import FakeCloudFormation

MOST = 400


class Many(CustomResource[dict[str, str], dict[str, str]]):
    """Makes as many steps as its properties say."""

    called: list[str] = []

    def create(self):
        for number in range(int(self.properties["Steps"])):
            self.step(f"s{number}", self.called.append, window=timedelta(hours=1))

    def delete(self):
        for number in range(MOST + 1):
            self.step(f"gone{number}", lambda _: None, window=timedelta(hours=1))


@pytest.mark.parametrize(("steps", "succeeds"), [(MOST, True), (MOST + 1, False)])
def test_one_step_too_many(steps, succeeds):
    """It is refused before it begins, in words; the Delete of all the others is not bounded so."""
    Many.called.clear()
    cloudformation = FakeCloudFormation(Provider(Many))

    answer = cloudformation.create("Many", {"Steps": str(steps)})

    assert succeeds is answer.succeeded
    assert MOST == len(Many.called)
    if succeeds:
        assert cloudformation.delete("Many").succeeded
    else:
        assert "step s400#0 of Create of Many" in answer.reason
        assert "was not begun: it has made 400 steps, and one request makes 400" in answer.reason
