"""
ACM and Route 53's records, in this process: botocore hands each call over before it is sent.

They do what a provider has to cope with, and local AWSs leave out, by a clock of their own: ACM
forgets a token after an hour, tells a certificate's records five seconds after the request, issues
it some time after the records are there, and does not delete what is in use.
"""

import os
import re
import uuid
from collections import Counter
from types import SimpleNamespace

import boto3

from cfn_once.testing import VirtualClock

HOUR = 3600
RECORDS_AFTER, ISSUED_AFTER = 5, 50  # seconds
ZONES = ("Z1", "Z2")


class Refused(Exception):
    """The answer is an error; its text is the code."""


class Acm:
    """Both services, for boto3's default session from now on.

    Attributes:
        clock: By which tokens are forgotten and certificates issued; `assert_safe` sets its own.
        objects: The certificates that exist, by ARN.
        created: Every ARN that was ever made.
        records: What the hosted zones hold: zone, name and value, and since when.
        asked: How often each operation was asked for.
        forbidden: Domains whose certificates fail, as by a CAA record.
        is_delegated: The public DNS leads to the hosted zone; else its records prove nothing.
        in_use: ARNs, and until when something uses them.
    """

    def __init__(self):
        self.clock = VirtualClock()
        self.reset()
        boto3.setup_default_session(region_name="eu-central-1")
        events = boto3.DEFAULT_SESSION.events
        events.register(
            "before-parameter-build", lambda params, context, **_: context.update(params)
        )
        events.register("before-call", self._answer)

    def reset(self):
        self.objects, self.created, self.records = {}, [], {}
        self.asked, self.forbidden, self.in_use = Counter(), set(), {}
        self.is_delegated, self._tokens = True, {}

    def _answer(self, model, context, **_):
        """Act, and return what botocore takes for a response and what it has read of it."""
        self.asked[model.name] += 1
        act = getattr(self, re.sub(r"(?<!^)([A-Z])", r"_\1", model.name).lower())
        metadata = {"ResponseMetadata": {"HTTPStatusCode": 200}}
        try:
            return SimpleNamespace(status_code=200), {**act(context), **metadata}
        except Refused as error:
            told = {"Error": {"Code": str(error), "Message": "as the code says"}}
            return SimpleNamespace(status_code=400), told

    def request_certificate(self, asked):
        token = asked["IdempotencyToken"]
        arn, until = self._tokens.get(token, ("", 0))
        if self.clock.now() < until:
            return {"CertificateArn": arn}
        region = asked["client_region"]
        arn = f"arn:aws:acm:{region}:123456789012:certificate/{uuid.uuid4()}"
        names = sorted({asked["DomainName"], *asked.get("SubjectAlternativeNames", [])})
        self.objects[arn] = {"name": asked["DomainName"], "names": names, "at": self.clock.now()}
        self.created.append(arn)
        self._tokens[token] = arn, self.clock.now() + HOUR
        return {"CertificateArn": arn}

    def describe_certificate(self, asked):
        certificate, now = self._certificate(asked), self.clock.now()
        options = [{"DomainName": name} for name in certificate["names"]]
        if now >= certificate["at"] + RECORDS_AFTER:
            options = [option | {"ResourceRecord": record_of(**option)} for option in options]
        status, why = self._status(certificate)
        told = {"Status": status, "FailureReason": why, "DomainValidationOptions": options}
        users = ["a-distribution"] if now < self.in_use.get(asked["CertificateArn"], 0) else []
        return {"Certificate": told | {"InUseBy": users}}

    def delete_certificate(self, asked):
        self._certificate(asked)
        if self.clock.now() < self.in_use.get(asked["CertificateArn"], 0):
            raise Refused("ResourceInUseException")
        del self.objects[asked["CertificateArn"]]
        return {}

    def change_resource_record_sets(self, asked):
        if asked["HostedZoneId"] not in ZONES:
            raise Refused("NoSuchHostedZone")
        for change in asked["ChangeBatch"]["Changes"]:
            record = change["ResourceRecordSet"]
            (value,) = record["ResourceRecords"]
            place = asked["HostedZoneId"], record["Name"], value["Value"]
            self.records.setdefault(place, self.clock.now())
        return {"ChangeInfo": {"Id": "/change/C1", "Status": "PENDING"}}

    def _certificate(self, asked):
        if asked["CertificateArn"] not in self.objects:
            raise Refused("ResourceNotFoundException")
        return self.objects[asked["CertificateArn"]]

    def _status(self, certificate):
        """Return the status, and why it is FAILED."""
        if certificate["name"] in self.forbidden:
            return "FAILED", "CAA_ERROR"
        wanted = [record_of(name) for name in certificate["names"]]
        since = {place[1:]: at for place, at in self.records.items()}
        there = [since.get((record["Name"], record["Value"])) for record in wanted]
        if not self.is_delegated or None in there:
            return "PENDING_VALIDATION", ""
        if self.clock.now() < max(certificate["at"], *there) + ISSUED_AFTER:
            return "PENDING_VALIDATION", ""
        return "ISSUED", ""


def external_api():
    """Let hooks call a stand-in, and return it: pyproject.toml names this for `cfn-once test`."""
    os.environ["CFN_ONCE_CONTINUATION"] = "lambda://self"  # the kit plays it: nothing is invoked
    return Acm()


def record_of(DomainName):
    """Return the record that proves a name; a wildcard has that of its domain."""
    base = DomainName.removeprefix("*.")
    return {"Name": f"_proof.{base}.", "Type": "CNAME", "Value": f"_{base}.acm-validations.aws."}
