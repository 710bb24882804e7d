"""The API that the providers call: it makes a group with each POST, whoever asks."""

from typing import Any


class ExternalApi:
    """Counts groups, and how long they were there; knows no idempotency key.

    Args:
        share: Which of `shares` processes it belongs to: no two make one id.
        shares: How many there are.

    Attributes:
        now: Seconds since 1970, in virtual time; whoever delivers sets it.
        made: How many groups were ever made.
        live: When each group that is there was made, by id.
        seconds: How long the groups that are gone were there, summed.
    """

    def __init__(self, share: int = 0, shares: int = 1) -> None:
        self._share, self._shares = share, shares
        self.now, self.made, self.seconds = 0, 0, 0
        self.live: dict[str, int] = {}
        self._tags: dict[str, str] = {}
        self._names: dict[str, str] = {}

    def post(self, name: str, tag: str = "") -> str:
        """Make a group, and return its id."""
        self.made += 1
        group = f"sig-{self.made * self._shares + self._share:08x}"
        self.live[group], self._names[group] = self.now, name
        if tag:
            self._tags[tag] = group
        return group

    def find(self, tag: str) -> str | None:
        """Return the group that has a tag, if it is there."""
        group = self._tags.get(tag)
        return group if group in self.live else None

    def delete(self, group: str) -> None:
        """Delete a group; one that is gone already is no error."""
        made = self.live.pop(group, None)
        if made is not None:
            del self._names[group]
            self.seconds += self.now - made
            for tag in [tag for tag, tagged in self._tags.items() if tagged == group]:
                del self._tags[tag]

    def named(self, name: str) -> int:
        """Return how many groups of a name are there; two may have one, as Spot's may."""
        return list(self._names.values()).count(name)

    def to_json(self) -> dict[str, Any]:
        return {
            "made": self.made,
            "seconds": self.seconds,
            "live": self.live,
            "tags": self._tags,
            "names": self._names,
        }

    def restore(self, kept: dict[str, Any]) -> None:
        """Go on from what `to_json` returned."""
        self.made, self.seconds = kept["made"], kept["seconds"]
        self.live, self._tags = dict(kept["live"]), dict(kept["tags"])
        self._names = dict(kept["names"])
