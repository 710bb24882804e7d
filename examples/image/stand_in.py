"""EC2's images, in this process: botocore hands each call over before it is sent."""

from fnmatch import fnmatch
from types import SimpleNamespace

import boto3


class Images:
    """DescribeImages, for boto3's default session from now on.

    Attributes:
        images: What there is.
        asked: How often it was asked.
    """

    def __init__(self):
        self.images, self.asked = [], 0
        boto3.setup_default_session(region_name="eu-central-1")
        events = boto3.DEFAULT_SESSION.events
        events.register("before-parameter-build", _remember)
        events.register("before-call", self._answer)
        self.publish("ami-1", "2026-10-01")
        self.publish("ami-2", "2026-11-01")
        self.publish("ami-3", "2026-11-20", Name="al2023-arm", Architecture="arm64")
        self.publish("ami-4", "2026-11-25", Name="al2023-fake", OwnerId="666666666666")

    def publish(self, image, day, **more):
        """Let there be one more image."""
        usual = {"Name": f"al2023-{day}", "Architecture": "x86_64", "OwnerId": "137112412989"}
        made = {"ImageId": image, "CreationDate": f"{day}T09:00:00.000Z", "State": "available"}
        self.images.append(made | usual | more)

    def _answer(self, model, context, **_):
        self.asked += 1
        asked = context["asked"]
        found = [image for image in self.images if image["ImageId"] in asked.get("ImageIds", [])]
        if "Filters" in asked:
            (name,), (architecture,), (state,) = (named["Values"] for named in asked["Filters"])
            found = [
                image
                for image in self.images
                if image["OwnerId"] in asked["Owners"]
                and fnmatch(image["Name"], name)
                and (image["Architecture"], image["State"]) == (architecture, state)
            ]
        metadata = {"HTTPStatusCode": 200}
        return SimpleNamespace(status_code=200), {"Images": found, "ResponseMetadata": metadata}


def external_api():
    """Let hooks call a stand-in: pyproject.toml names this for `cfn-once test`."""
    Images()  # there is nothing to return: hooks make nothing that could be left


def _remember(params, context, **_):
    context["asked"] = params
