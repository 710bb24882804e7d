"""The bucket with the code of providers, and what is uploaded into it."""

import hashlib
from typing import NamedTuple

from ..console import Stop
from .aws import Aws, Refusal
from .stacks import StackPlan, Stacks
from .templates import template

STACK = "cfn-once-artifacts"
ABSENT = ("404", "NoSuchKey", "NotFound")
NO_BUCKET = (*ABSENT, "NoSuchBucket")


class Artifacts(NamedTuple):
    """A bucket of this account.

    Attributes:
        bucket: Its name.
    """

    aws: Aws
    bucket: str

    def upload(self, path: str, key: str) -> bool:
        """Upload a file; False where there is one of that key, which is named after its content."""
        on = f"s3://{self.bucket}/{key}"
        asked = {"Bucket": self.bucket, "Key": key, "ExpectedBucketOwner": self.aws.account}
        try:
            self.aws.ask("s3", "head_object", on=on, **asked)
        except Refusal as refusal:
            if refusal.error not in ABSENT:
                raise
        else:
            return False
        with open(path, "rb") as file:
            self.aws.ask("s3", "put_object", on=on, Body=file, **asked)
        return True

    def upload_text(self, text: str) -> str:
        """Upload a template, and return its URL."""
        key = f"templates/{hashlib.sha256(text.encode()).hexdigest()}.yaml"
        self.aws.ask(
            "s3",
            "put_object",
            on=f"s3://{self.bucket}/{key}",
            Bucket=self.bucket,
            Key=key,
            Body=text.encode(),
            ExpectedBucketOwner=self.aws.account,
        )
        return f"{self.aws.endpoint('s3')}/{self.bucket}/{key}"


def artifacts(aws: Aws, stacks: Stacks, bucket: str) -> Artifacts:
    """Return the bucket: the one that is named, else our own stack's, which is made if missing.

    Raises:
        Stop: It is not there, or it is somebody else's.
    """
    if not bucket:
        if not stacks.outputs(STACK).get("BucketName"):
            stacks.change(StackPlan(STACK, template("artifacts"), {}))
        bucket = stacks.outputs(STACK)["BucketName"]
    on = f"s3://{bucket}"
    try:
        aws.ask("s3", "head_bucket", on=on, Bucket=bucket, ExpectedBucketOwner=aws.account)
    except Refusal as refusal:
        if refusal.error in NO_BUCKET:
            raise Stop(f"there is no bucket {bucket}: make it, or leave out --bucket") from None
        raise
    except Stop as stop:
        if "s3:ListBucket" in str(stop):
            raise Stop(
                f"the bucket {bucket} is not of this account, {aws.account}, or these credentials"
                " may not s3:ListBucket on it: name another with --bucket, or leave it out"
            ) from None
        raise
    return Artifacts(aws, bucket)
