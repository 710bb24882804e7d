"""Custom::Certificate, as CloudFormation, Lambda, ACM and Route 53 meet it."""

import boto3
import pytest

from cfn_once import Provider
from cfn_once.testing import Crashed, FakeCloudFormation, assert_safe

from .provider import Certificate
from .stand_in import Acm, record_of

SCHEDULER = "scheduler://waits?role=arn:aws:iam::123456789012:role/waits"
WWW = {"DomainName": "www.example.com", "HostedZoneId": "Z1", "ServiceTimeout": "3000"}
SHOP = {**WWW, "DomainName": "shop.example.com"}

# As deployed: templates/provider.yaml sets CFN_ONCE_CONTINUATION, by which events come back.
provider = Provider(Certificate, ledger="memory://", continuation=SCHEDULER)


@pytest.fixture
def acm():
    yield Acm()
    boto3.DEFAULT_SESSION = None  # which it listens to


@pytest.fixture
def cloudformation(acm):
    """A stack that is deleted at last, and must leave no certificate."""
    cloudformation = FakeCloudFormation(provider, clock=acm.clock)
    yield cloudformation
    cloudformation.delete_stack()
    assert {} == acm.objects


@pytest.mark.no_cover  # hundreds of runs of the same lines, which the other tests run as well
def test_every_single_fault(acm):
    """One certificate is made and none is left, whatever befalls the Create and the Delete."""
    checked = assert_safe(provider, WWW, acm)

    assert checked.complete


def test_without_a_service_timeout(acm):
    """ACM forgets a token after an hour, and CloudFormation waits for an hour where the template
    does not say: so it must say."""
    no_timeout = {name: value for name, value in WWW.items() if name != "ServiceTimeout"}

    with pytest.raises(AssertionError, match=r"in doubt: acm\.RequestCertificate#0") as told:
        assert_safe(provider, no_timeout, acm)

    assert "With ServiceTimeout: " in str(told.value)


def test_a_create_that_comes_three_times(cloudformation, acm):
    """One certificate is requested, its records are in the zone, and it is issued when the
    answer goes out: a minute later, by an event that came back."""
    names = ["*.www.example.com", "www.example.org"]
    answer = cloudformation.create(
        "Certificate", {**WWW, "SubjectAlternativeNames": names}, times=3
    )

    assert {"Arn": acm.created[0]} == answer.data
    assert 1 == len(acm.created)
    assert {record_of(name)["Name"] for name in ["www.example.com", "www.example.org"]} == {
        name for _, name, _ in acm.records
    }
    assert "it comes back from its wait" in cloudformation.story
    assert 60 < acm.clock.now() - acm.objects[answer.data["Arn"]]["at"] < 180


@pytest.mark.parametrize("call", ["acm.RequestCertificate", "route53.ChangeResourceRecordSets"])
def test_a_create_whose_process_died(cloudformation, acm, call):
    """Lambda delivers it again, and it goes on with the certificate that there is."""
    answer = cloudformation.create("Certificate", WWW, crash_after=call)

    assert answer.succeeded
    assert [answer.physical_resource_id] == acm.created


def test_a_create_that_died_and_is_cancelled(acm):
    """A Delete finds the certificate of a Create that never told of it."""
    cloudformation = FakeCloudFormation(provider, clock=acm.clock)
    create = cloudformation.event("Create", "Certificate", WWW)
    with pytest.raises(Crashed):
        cloudformation.send(create, crash_after="acm.RequestCertificate")
    invented = "stack-Certificate-1A2B3C4D5E6F"

    delete = cloudformation.event("Delete", "Certificate", WWW, physical_resource_id=invented)

    assert cloudformation.deliver(delete).succeeded
    assert 1 == len(acm.created)
    assert {} == acm.objects


def test_another_domain(cloudformation, acm):
    """Another domain is another certificate; the old one goes when nothing uses it any more."""
    old = cloudformation.create("Certificate", WWW)
    acm.in_use[old.physical_resource_id] = acm.clock.now() + 400

    new = cloudformation.update("Certificate", SHOP, times=2)

    assert new.physical_resource_id != old.physical_resource_id
    assert [new.physical_resource_id] == list(acm.objects)
    assert acm.clock.now() >= acm.in_use[old.physical_resource_id]


def test_another_domain_that_is_rolled_back(cloudformation, acm):
    """The old certificate holds again, untouched, and the new one is deleted."""
    old = cloudformation.create("Certificate", WWW)

    back = cloudformation.update_and_roll_back("Certificate", SHOP)

    assert old.physical_resource_id == back.physical_resource_id
    assert [old.physical_resource_id] == list(acm.objects)


def test_a_certificate_that_acm_refuses(cloudformation, acm):
    """The answer says why, does not wait for an hour, and the failed one is deleted."""
    acm.forbidden.add("www.example.com")

    answer = cloudformation.create("Certificate", WWW)

    assert "FAILED" == answer.status
    assert "the certificate is FAILED CAA_ERROR" in answer.reason
    assert {} == acm.objects


def test_another_zone(cloudformation, acm):
    """The records go there too; it is no reason for another certificate."""
    made = cloudformation.create("Certificate", WWW)

    answer = cloudformation.update("Certificate", {**WWW, "HostedZoneId": "Z2"})

    assert made.physical_resource_id == answer.physical_resource_id
    assert [made.physical_resource_id] == acm.created
    assert {"Z1", "Z2"} == {zone for zone, _, _ in acm.records}


def test_a_zone_that_is_not_there(cloudformation, acm):
    """The answer says so, and the stack is rolled back to the certificate as it was."""
    made = cloudformation.create("Certificate", WWW)

    answer = cloudformation.update("Certificate", {**WWW, "HostedZoneId": "Z3"})

    assert "NoSuchHostedZone" in answer.reason
    assert [made.physical_resource_id] == acm.created == list(acm.objects)


def test_a_zone_that_the_dns_does_not_lead_to(cloudformation, acm):
    """It gives up a minute before CloudFormation does, says so, and deletes the certificate."""
    acm.is_delegated = False

    answer = cloudformation.create("Certificate", WWW)

    assert "what wait_until#1 waits for did not come within 29" in answer.reason
    assert {} == acm.objects


@pytest.mark.parametrize("times", [1, 2])
def test_on_a_local_aws(ministack, times):
    """The calls are as AWS's protocols have them. (MiniStack issues at once, and knows no
    tokens.)"""
    acm, route53 = ministack.client("acm"), ministack.client("route53")
    zone = route53.create_hosted_zone(Name="example.com", CallerReference=f"certificate-{times}")
    wanted = {**WWW, "HostedZoneId": zone["HostedZone"]["Id"].rpartition("/")[2]}
    cloudformation = FakeCloudFormation(provider)

    created = cloudformation.create("Certificate", wanted, times=times)
    replaced = cloudformation.update("Certificate", {**wanted, "DomainName": "shop.example.com"})

    (left,) = acm.list_certificates()["CertificateSummaryList"]
    assert created.data["Arn"] != replaced.data["Arn"] == left["CertificateArn"]
    records = route53.list_resource_record_sets(HostedZoneId=wanted["HostedZoneId"])
    names = [record["Name"] for record in records["ResourceRecordSets"]]
    assert 2 == len([name for name in names if name.startswith("_")])
    cloudformation.delete_stack()
    assert [] == acm.list_certificates()["CertificateSummaryList"]
