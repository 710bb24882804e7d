"""Custom::Thing: a thing of an API that knows no tokens: what is asked for twice is made twice."""

from dataclasses import dataclass

from cfn_once import CustomResource, Provider, TemporaryError


@dataclass(frozen=True)
class ThingProperties:
    Api: str
    Slot: str = ""


class Thing(CustomResource[ThingProperties, dict]):
    """A thing; one that names a slot is made once the API has that slot."""

    def create(self):
        wanted = self.properties
        if wanted.Slot and not self.http.get(f"{wanted.Api}/slots?slot={wanted.Slot}").json():
            raise TemporaryError(f"there is no slot {wanted.Slot} yet")
        name = self.request.logical_resource_id
        made = self.http.post(f"{wanted.Api}/things", json={"name": name}).json()
        self.physical_resource_id = made["id"]
        return {"Id": self.physical_resource_id}

    def delete(self):
        self.http.delete(f"{self.properties.Api}/things/{self.physical_resource_id}")


provider = Provider(Thing)
