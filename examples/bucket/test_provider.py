"""Custom::Bucket, as CloudFormation, Lambda and S3 meet it."""

import boto3
import pytest

from cfn_once.testing import Crashed, FakeCloudFormation, assert_safe

from .provider import provider
from .stand_in import S3

LOGS = {"BucketName": "shop-logs", "ServiceTimeout": "900"}
TRACES = {"BucketName": "shop-traces", "ServiceTimeout": "900"}


@pytest.fixture
def s3():
    yield S3()
    boto3.DEFAULT_SESSION = None  # which it listens to


@pytest.fixture
def cloudformation(s3):
    """A stack that is deleted at last, and must leave what others have."""
    cloudformation = FakeCloudFormation(provider)
    yield cloudformation
    cloudformation.delete_stack()
    assert ["theirs"] == list(s3.objects)


def fill(name, objects=3):
    """Write objects, each in two versions where the bucket keeps them, and delete one."""
    client = boto3.client("s3")
    for number in [*range(objects), 0]:
        client.put_object(Bucket=name, Key=f"key-{number}", Body=b"")
    client.delete_object(Bucket=name, Key="key-0")


def in_use(stack):
    """A bucket lives, something writes to it, and it is deleted."""
    stack.create("Bucket", {**LOGS, "Versioned": True})
    if "Bucket" in stack.resources:
        fill("shop-logs")
    stack.delete("Bucket")


@pytest.mark.no_cover  # hundreds of runs of the same lines, which the other tests run as well
def test_every_single_fault(s3):
    """One bucket is made and none is left, full as it is, whatever befalls the two requests."""
    checked = assert_safe(provider, in_use, s3)

    assert checked.complete


@pytest.mark.no_cover
def test_every_single_fault_of_an_update(s3):
    """Another name is another bucket; whatever befalls the Update, or its rollback, one is left
    while the resource lives, and none after its Delete."""
    checked = assert_safe(provider, LOGS, s3, changed=TRACES)

    assert checked.complete


def test_a_create_that_comes_three_times(cloudformation, s3):
    """The bucket has the name that the template asks for, and every copy is told of it."""
    answer = cloudformation.create("Bucket", LOGS, times=3)

    assert "shop-logs" == answer.physical_resource_id
    assert {"Arn": "arn:aws:s3:::shop-logs"} == answer.data
    assert ["shop-logs", "theirs"] == sorted(s3.objects)


@pytest.mark.parametrize("fault", ["crash_before", "crash_after"])
def test_a_create_whose_process_died(cloudformation, s3, fault):
    """The bucket that is there bears the step's tag: it is this resource's own."""
    answer = cloudformation.create("Bucket", LOGS, **{fault: "bucket"})

    assert answer.succeeded


def test_a_name_that_is_taken(cloudformation, s3):
    """Whoever has the bucket keeps it, with all that is in it: no hook takes it over."""
    fill("theirs")

    answer = cloudformation.create("Bucket", {"BucketName": "theirs"}, times=2)

    assert "there is a bucket theirs" in answer.reason
    assert ["key-1", "key-2"] == s3.keys("theirs")


def test_a_name_that_somebody_takes_meanwhile(s3):
    """The process died before its call, and somebody else made a bucket of that name: it is
    theirs, also when the stack is deleted."""
    cloudformation = FakeCloudFormation(provider)
    create = cloudformation.event("Create", "Bucket", LOGS)
    with pytest.raises(Crashed):
        cloudformation.send(create, crash_before="bucket")
    boto3.client("s3").create_bucket(
        Bucket="shop-logs", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"}
    )
    fill("shop-logs")

    answer = cloudformation.deliver(create)
    delete = cloudformation.event(
        "Delete", "Bucket", LOGS, physical_resource_id=answer.physical_resource_id
    )

    assert "there is a bucket shop-logs" in answer.reason
    assert cloudformation.deliver(delete).succeeded
    assert ["key-1", "key-2"] == s3.keys("shop-logs")


def test_a_name_that_somebody_takes_later(cloudformation, s3):
    """The bucket was deleted by hand, and somebody else has one of that name now: a Delete leaves
    it, and says so."""
    cloudformation.create("Bucket", LOGS)
    boto3.client("s3").delete_bucket(Bucket="shop-logs")
    s3.objects["shop-logs"] = s3.objects["theirs"]

    answer = cloudformation.delete("Bucket")

    assert answer.succeeded
    assert "bucket shop-logs is left as it is" in answer.reason
    assert s3.objects.pop("shop-logs")


def test_a_create_that_died_and_is_cancelled(s3):
    """A Delete finds the bucket of a Create that never told of it."""
    cloudformation = FakeCloudFormation(provider)
    create = cloudformation.event("Create", "Bucket", LOGS)
    with pytest.raises(Crashed):
        cloudformation.send(create, crash_after="bucket")
    invented = "stack-Bucket-1A2B3C4D5E6F"

    delete = cloudformation.event("Delete", "Bucket", LOGS, physical_resource_id=invented)

    assert cloudformation.deliver(delete).succeeded
    assert ["theirs"] == list(s3.objects)


def test_a_full_bucket(cloudformation, s3):
    """Every version and every mark of a deletion goes, over more than one page, and then the
    bucket."""
    cloudformation.create("Bucket", {**LOGS, "Versioned": True})
    s3.page = 2
    fill("shop-logs")

    answer = cloudformation.delete("Bucket", times=2)

    assert answer.succeeded
    assert ["theirs"] == list(s3.objects)


def test_a_bucket_that_is_gone_already(cloudformation, s3):
    """There is nothing to do."""
    cloudformation.create("Bucket", LOGS)
    boto3.client("s3").delete_bucket(Bucket="shop-logs")

    assert cloudformation.delete("Bucket").succeeded


def test_a_delete_that_takes_long(cloudformation, s3):
    """It stops before Lambda would end it, and Lambda's next delivery goes on."""
    cloudformation.create("Bucket", LOGS)
    s3.page = 2
    fill("shop-logs", objects=5)

    answer = cloudformation.delete("Bucket", slow={"s3.DeleteObjects": 100})

    assert answer.succeeded
    assert "TemporaryError: the bucket is not empty yet" in cloudformation.story


def test_another_name_that_is_rolled_back(cloudformation, s3):
    """The old bucket holds again with all that is in it, and the new one is gone."""
    cloudformation.create("Bucket", LOGS)
    fill("shop-logs")

    back = cloudformation.update_and_roll_back("Bucket", TRACES)

    assert "shop-logs" == back.physical_resource_id
    assert ["shop-logs", "theirs"] == sorted(s3.objects)
    assert s3.keys("shop-logs")


def test_an_update_that_is_rolled_back(cloudformation, s3):
    """The bucket is as it was."""
    cloudformation.create("Bucket", {**LOGS, "Versioned": True})

    cloudformation.update_and_roll_back("Bucket", LOGS)

    assert "Enabled" == s3.objects["shop-logs"]["Status"]


@pytest.mark.parametrize("region", ["us-east-1", "eu-central-1"])
def test_on_a_local_aws(ministack, monkeypatch, region):
    """The calls are as S3's protocol has them: the tag comes with the bucket, a full one goes, and
    one that is there stays, also in us-east-1, where S3 itself would not refuse."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    client, name = ministack.client("s3"), f"shop-logs-{region}"
    cloudformation = FakeCloudFormation(provider)
    wanted = {"BucketName": name, "Versioned": True}
    created = cloudformation.create("Bucket", wanted, crash_after="bucket", times=2)
    taken = cloudformation.create("Other", wanted)
    fill(name)

    deleted = cloudformation.delete("Bucket", times=2)

    assert created.succeeded
    assert f"there is a bucket {name}" in taken.reason
    assert deleted.succeeded
    assert name not in [bucket["Name"] for bucket in client.list_buckets()["Buckets"]]
