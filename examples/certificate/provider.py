"""Custom::Certificate: an ACM certificate in any Region, validated by DNS, and waited for."""

from dataclasses import dataclass, field
from typing import Any

from cfn_once import CustomResource, PermanentError, Provider


@dataclass(frozen=True)
class CertificateProperties:
    DomainName: str
    HostedZoneId: str  # of Route 53: the records that prove the names go there
    SubjectAlternativeNames: list[str] = field(default_factory=list[str])
    Region: str = "us-east-1"


@dataclass(frozen=True)
class CertificateAttributes:
    Arn: str


class Certificate(CustomResource[CertificateProperties, CertificateAttributes]):
    """An issued certificate, in another Region than its stack's if you like."""

    replace_on = {"DomainName", "Region", "SubjectAlternativeNames"}

    def create(self) -> CertificateAttributes:
        domain = self.properties.DomainName
        made = self.acm().request_certificate(  # ACM takes a token: cfn-once sends it
            DomainName=domain,
            SubjectAlternativeNames=[domain, *self.properties.SubjectAlternativeNames],
            ValidationMethod="DNS",
        )
        self.physical_resource_id = made["CertificateArn"]
        return self.validate()

    def update(self) -> CertificateAttributes:
        return self.validate()  # another zone: all else is another certificate

    def validate(self) -> CertificateAttributes:
        records = self.wait_until(self.records, every=5)
        changes = [{"Action": "UPSERT", "ResourceRecordSet": record} for record in records]
        self.client("route53").change_resource_record_sets(
            HostedZoneId=self.properties.HostedZoneId, ChangeBatch={"Changes": changes}
        )
        self.wait_until(self.is_issued, every=60)
        return CertificateAttributes(Arn=self.physical_resource_id)

    def delete(self) -> None:
        self.wait_until(self.is_unused, every=60)
        self.acm().delete_certificate(CertificateArn=self.physical_resource_id)
        # The records stay: ACM has one for a name and an account, and renewals look at it.

    def records(self) -> list[dict[str, Any]] | None:
        """Return the records that prove the names: some seconds after the request, ACM has them."""
        options = self.certificate().get("DomainValidationOptions", [])
        if not options or not all("ResourceRecord" in option for option in options):
            return None
        # example.com and *.example.com have the same record, and a change may name it once.
        by_name = {option["ResourceRecord"]["Name"]: option["ResourceRecord"] for option in options}
        return [
            {
                "Name": name,
                "Type": record["Type"],
                "TTL": 300,
                "ResourceRecords": [{"Value": record["Value"]}],
            }
            for name, record in sorted(by_name.items())
        ]

    def is_issued(self) -> bool:
        certificate = self.certificate()
        if certificate["Status"] not in ("ISSUED", "PENDING_VALIDATION"):
            why = certificate.get("FailureReason", "")
            raise PermanentError(f"the certificate is {certificate['Status']} {why}".strip())
        return bool(certificate["Status"] == "ISSUED")

    def is_unused(self) -> bool:
        """Tell whether nothing uses it any more: CloudFront lets go some minutes later."""
        try:
            return not self.certificate().get("InUseBy")
        except self.acm().exceptions.ResourceNotFoundException:
            return True

    def certificate(self) -> dict[str, Any]:
        found = self.acm().describe_certificate(CertificateArn=self.physical_resource_id)
        certificate: dict[str, Any] = found["Certificate"]
        return certificate

    def acm(self) -> Any:
        return self.client("acm", region_name=self.properties.Region)


provider = Provider(Certificate)
