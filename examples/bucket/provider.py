"""Custom::Bucket: an S3 bucket under a name of your choice, which is emptied before it goes."""

from dataclasses import dataclass
from typing import Annotated, Any

from botocore.exceptions import ClientError
from msgspec import Meta

from cfn_once import CustomResource, PermanentError, Provider, Step, TemporaryError

TIME_FOR_A_PAGE = 30  # seconds, and ten of them are the watchdog's


@dataclass(frozen=True)
class BucketProperties:
    BucketName: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")]
    Versioned: bool = False


@dataclass(frozen=True)
class BucketAttributes:
    Arn: str


class Bucket(CustomResource[BucketProperties, BucketAttributes]):
    """A bucket; a Delete removes all that is in it, in every version."""

    replace_on = {"BucketName"}

    def create(self) -> BucketAttributes:
        self.physical_resource_id = self.step("bucket", self.make, find=self.find)
        return self.configure()

    def update(self) -> BucketAttributes:
        return self.configure()

    def configure(self) -> BucketAttributes:
        bucket = self.physical_resource_id
        status = "Enabled" if self.properties.Versioned else "Suspended"
        self.client("s3").put_bucket_versioning(
            Bucket=bucket, VersioningConfiguration={"Status": status}
        )
        return BucketAttributes(Arn=f"arn:{self.request.partition}:s3:::{bucket}")

    def delete(self) -> None:
        s3, bucket = self.client("s3"), self.physical_resource_id
        try:
            while versions := self.versions():
                self.remove(versions)
        except s3.exceptions.NoSuchBucket:
            return
        s3.delete_bucket(Bucket=bucket)

    def make(self, step: Step) -> str:
        s3, name = self.client("s3"), self.properties.BucketName
        if self.tags() is not None:  # in us-east-1, S3 would say yes to a bucket that you have
            raise PermanentError(f"there is a bucket {name}, and this resource did not make it")
        configuration: dict[str, Any] = {"Tags": [tag(step)]}
        if s3.meta.region_name != "us-east-1":
            configuration["LocationConstraint"] = s3.meta.region_name
        s3.create_bucket(Bucket=name, CreateBucketConfiguration=configuration)
        return name

    def find(self, step: Step) -> str | None:
        """Look for the bucket that this step made: one of the same name may be another's."""
        return self.properties.BucketName if tag(step) in (self.tags() or []) else None

    def tags(self) -> list[dict[str, str]] | None:
        """Return the tags of the bucket of this name, and None if there is no such bucket."""
        try:
            found = self.client("s3").get_bucket_tagging(Bucket=self.properties.BucketName)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code")
            if code not in ("NoSuchBucket", "NoSuchTagSet"):
                raise
            return None if code == "NoSuchBucket" else []
        tags: list[dict[str, str]] = found["TagSet"]
        return tags

    def versions(self) -> list[dict[str, str]]:
        """Return some versions of objects that are left, 1,000 at most, and marks of deletions."""
        page = self.client("s3").list_object_versions(Bucket=self.physical_resource_id)
        found = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
        return [{"Key": version["Key"], "VersionId": version["VersionId"]} for version in found]

    def remove(self, versions: list[dict[str, str]]) -> None:
        if self.time_left < TIME_FOR_A_PAGE:
            raise TemporaryError("the bucket is not empty yet: Lambda delivers the Delete again")
        answer = self.client("s3").delete_objects(
            Bucket=self.physical_resource_id, Delete={"Objects": versions, "Quiet": True}
        )
        for error in answer.get("Errors", []):
            raise PermanentError(f"S3 does not delete {error['Key']}: {error['Code']}")


def tag(step: Step) -> dict[str, str]:
    return {"Key": "cfn-once:step", "Value": step.token}


provider = Provider(Bucket)
