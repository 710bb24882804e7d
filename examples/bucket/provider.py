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
        tags = self.tags(bucket)
        if tags is None:
            return  # it is gone already
        if not any(tag["Value"].startswith(f"{self.correlation_id}/") for tag in tags):
            self.reason = f"bucket {bucket} is left as it is: this resource did not make it"
            return
        while versions := self.versions():
            self.remove(versions)
        s3.delete_bucket(Bucket=bucket)

    def make(self, step: Step) -> str:
        s3, name = self.client("s3"), self.properties.BucketName
        if self.tags(name) is not None:  # in us-east-1, S3 would say yes to a bucket that you have
            raise PermanentError(f"there is a bucket {name}, and this resource did not make it")
        configuration: dict[str, Any] = {"Tags": [self.tag(step)]}
        if s3.meta.region_name != "us-east-1":
            configuration["LocationConstraint"] = s3.meta.region_name
        s3.create_bucket(Bucket=name, CreateBucketConfiguration=configuration)
        return name

    def find(self, step: Step) -> str | None:
        """Look for the bucket that this step made: one of the same name may be another's."""
        name = self.properties.BucketName
        return name if self.tag(step) in (self.tags(name) or []) else None

    def tag(self, step: Step) -> dict[str, str]:
        """Return what tells a Create which bucket it made, and a Delete whether to remove it."""
        return {"Key": "cfn-once", "Value": f"{self.correlation_id}/{step.token}"}

    def tags(self, bucket: str) -> list[dict[str, str]] | None:
        """Return the tags of a bucket, and None if there is no such bucket."""
        try:
            found = self.client("s3").get_bucket_tagging(Bucket=bucket)
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


provider = Provider(Bucket)
