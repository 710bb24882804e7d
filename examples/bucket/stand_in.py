"""S3, in this process: botocore hands each call over before it is sent."""

import re
from itertools import count
from types import SimpleNamespace

import boto3


class Refused(Exception):
    """The answer is an error; its text is the code."""


class S3:
    """S3, for boto3's default session from now on. moto would leave out the tags of a new bucket.

    Attributes:
        objects: The buckets that exist, by name: tags, versioning, and versions of objects.
        page: How many versions a list has.
    """

    def __init__(self, region="eu-central-1"):
        boto3.setup_default_session(region_name=region)
        events = boto3.DEFAULT_SESSION.events
        events.register("before-parameter-build", _remember)
        events.register("before-call", self._answer)
        self._region = region
        self.reset()

    def reset(self):
        """Forget all, but for a bucket of somebody else."""
        self.objects, self.page, self._ids = {}, 1000, count(1)
        self.objects["theirs"] = {"Tags": [], "Status": None, "Versions": []}

    def keys(self, bucket):
        """Return the keys that a bucket holds in any version."""
        return sorted({version["Key"] for version in self.objects[bucket]["Versions"]})

    def _answer(self, model, context, **_):
        """Act, and return what botocore takes for a response and what it has read of it."""
        act = getattr(self, re.sub(r"(?<!^)([A-Z])", r"_\1", model.name).lower())
        metadata = {"ResponseMetadata": {"HTTPStatusCode": 200}}
        try:
            return SimpleNamespace(status_code=200, headers={}), act(**context["asked"]) | metadata
        except Refused as error:
            told = {"Error": {"Code": str(error), "Message": "as the code says"}}
            return SimpleNamespace(status_code=400, headers={}), told

    def create_bucket(self, Bucket, CreateBucketConfiguration):
        if CreateBucketConfiguration.get("LocationConstraint", "us-east-1") != self._region:
            raise Refused("IllegalLocationConstraintException")
        if Bucket in self.objects and self._region != "us-east-1":
            raise Refused("BucketAlreadyOwnedByYou")
        new = {"Tags": CreateBucketConfiguration.get("Tags", []), "Status": None, "Versions": []}
        self.objects.setdefault(Bucket, new)
        return {}

    def get_bucket_tagging(self, Bucket):
        if not self._bucket(Bucket)["Tags"]:
            raise Refused("NoSuchTagSet")
        return {"TagSet": self._bucket(Bucket)["Tags"]}

    def put_bucket_versioning(self, Bucket, VersioningConfiguration):
        self._bucket(Bucket).update(VersioningConfiguration)
        return {}

    def put_object(self, Bucket, Key, Body, **version):
        self._write(Bucket, {"Key": Key, **version})
        return {}

    def delete_object(self, Bucket, Key):
        return self.put_object(Bucket, Key, b"", IsMark=True)

    def list_object_versions(self, Bucket, **_):
        found = self._bucket(Bucket)["Versions"][: self.page]
        marks = [version for version in found if "IsMark" in version]
        return {
            "Versions": [version for version in found if version not in marks],
            "DeleteMarkers": marks,
        }

    def delete_objects(self, Bucket, Delete):
        gone = [(version["Key"], version["VersionId"]) for version in Delete["Objects"]]
        bucket = self._bucket(Bucket)
        bucket["Versions"] = [
            version
            for version in bucket["Versions"]
            if (version["Key"], version["VersionId"]) not in gone
        ]
        return {}

    def delete_bucket(self, Bucket):
        if self._bucket(Bucket)["Versions"]:
            raise Refused("BucketNotEmpty")
        del self.objects[Bucket]
        return {}

    def _bucket(self, name):
        if name not in self.objects:
            raise Refused("NoSuchBucket")
        return self.objects[name]

    def _write(self, bucket, version):
        """Add a version, or put it in the place of the one there is."""
        held = self._bucket(bucket)
        if held["Status"] != "Enabled":
            held["Versions"] = [kept for kept in held["Versions"] if kept["Key"] != version["Key"]]
            if "IsMark" in version:
                return
        held["Versions"].append({**version, "VersionId": str(next(self._ids))})


def _remember(params, context, **_):
    context["asked"] = params
