"""Custom::Pick: one of several values, picked at random, once."""

from dataclasses import dataclass
from random import Random

from cfn_once import CustomResource, Provider


@dataclass(frozen=True)
class PickProperties:
    From: list[str]


@dataclass(frozen=True)
class PickAttributes:
    Value: str


class Pick(CustomResource[PickProperties, PickAttributes]):
    """One of several values; another list is another pick."""

    replace_on = {"From"}

    def create(self) -> PickAttributes:
        # The token is the same in every copy of the event, and so is what follows from it.
        picked = self.step(
            "pick", lambda step: Random(step.token).choice(self.properties.From), repeat=True
        )
        return PickAttributes(Value=picked)

    def delete(self) -> None:
        """Nothing was made outside CloudFormation."""


provider = Provider(Pick)
