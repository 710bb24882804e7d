"""Custom::Image: the newest machine image that fits, as of a day that the template names."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any, Literal

from msgspec import Meta

from cfn_once import CustomResource, PermanentError, Provider


@dataclass(frozen=True)
class ImageProperties:
    Owners: Annotated[list[str], Meta(min_length=1)]  # anybody may name an image like Amazon's
    Name: str  # with * and ?
    AsOf: date  # images that are newer are left out
    Architecture: Literal["x86_64", "arm64"] = "x86_64"


@dataclass(frozen=True)
class ImageAttributes:
    Name: str
    CreationDate: str


class Image(CustomResource[ImageProperties, ImageAttributes]):
    """An image of EC2; `Ref` is its id."""

    delete = None  # it is looked up: nothing was made

    def create(self) -> ImageAttributes:
        image = self.newest()  # nothing comes after it, so the recorded response keeps it
        self.physical_resource_id = image["ImageId"]
        return attributes(image)

    def replaces(self) -> bool:
        """Another image has another id, and whatever refers to it is to be replaced as well."""
        return bool(self.newest()["ImageId"] != self.physical_resource_id)

    def update(self) -> ImageAttributes:
        images = self.client("ec2").describe_images(ImageIds=[self.physical_resource_id])
        return attributes(images["Images"][0])

    def newest(self) -> dict[str, Any]:
        asked = self.properties
        filters = {"name": asked.Name, "architecture": asked.Architecture, "state": "available"}
        pages = (
            self.client("ec2")
            .get_paginator("describe_images")
            .paginate(
                Owners=asked.Owners,
                Filters=[{"Name": name, "Values": [value]} for name, value in filters.items()],
            )
        )
        end = f"{asked.AsOf}T24"  # EC2 writes 2026-11-27T09:00:00.000Z
        found = [image for page in pages for image in page["Images"] if image["CreationDate"] < end]
        if not found:
            raise PermanentError(f"no image fits {asked.Name} as of {asked.AsOf}")
        newest: dict[str, Any] = max(found, key=lambda image: image["CreationDate"])
        return {name: newest[name] for name in ("ImageId", "Name", "CreationDate")}


def attributes(image: dict[str, Any]) -> ImageAttributes:
    return ImageAttributes(Name=image["Name"], CreationDate=image["CreationDate"])


provider = Provider(Image)
