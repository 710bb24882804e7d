"""What `deploy` shows of a change set before somebody agrees to it."""

import pytest

from cfn_once.cli.cloud.changes import lines_of

# As CloudFormation spells them. Source: API Reference, "ResourceChangeDetail".
SECRET = "hunter22"


def detail(name, needs, entity=None, attribute="Properties"):
    told = {"Attribute": attribute, "Name": name, "RequiresRecreation": needs}
    target = {**told, "BeforeValue": SECRET, "AfterValue": SECRET}
    return {"Target": target, **({"CausingEntity": entity} if entity else {})}


def change(kind, replacement, *details, **more):
    resource = {"Action": "Modify", "LogicalResourceId": "Thing", "ResourceType": kind, **more}
    return {"ResourceChange": {**resource, "Replacement": replacement, "Details": list(details)}}


ENGINE, TABLE = detail("Engine", "Conditionally"), detail("KeySchema", "Always")
SUBNET = detail("SubnetId", "Always", "Subnet.SubnetId")
DOMAIN = detail("DomainName", "Never")
TAGS = detail(None, "Never", attribute="Tags")
FINDS_OUT = "CloudFormation finds out during the update whether a new one is made"
SHOWN = [
    (
        change("AWS::DynamoDB::Table", "True", TABLE, TAGS, detail("BillingMode", "Never")),
        ", replaced",
        "a new one is made, and then the old one is deleted: KeySchema changes",
    ),
    (
        change("AWS::DynamoDB::Table", "True", TABLE, PolicyAction="ReplaceAndRetain"),
        ", replaced",
        "a new one is made, and then the old one stays: KeySchema changes",
    ),
    (
        change("AWS::RDS::DBInstance", "Conditional", ENGINE, SUBNET, SUBNET),
        ", perhaps replaced",
        f"{FINDS_OUT}: Engine changes; SubnetId follows Subnet.SubnetId",
    ),
    (
        change("AWS::SNS::Topic", "True"),
        ", replaced",
        "a new one is made, and then the old one is deleted",
    ),
    (change("AWS::Lambda::Function", "False", detail("Code", "Never")), "", None),
]
PROVIDER = "its provider updates it, or makes a new one (replace_on)"


@pytest.mark.parametrize(("given", "note", "why"), SHOWN)
def test_why_a_resource_is_replaced(given, note, why):
    """
    The second line says what becomes of the old one, and which properties are the reason: no other,
    and no value.
    """
    first, *second = lines_of(given)

    assert first.endswith(given["ResourceChange"]["ResourceType"] + note)
    assert ([f"      {why}"] if why else []) == second
    assert SECRET not in "".join([first, *second])


@pytest.mark.parametrize("kind", ["Custom::Thing", "AWS::CloudFormation::CustomResource"])
@pytest.mark.parametrize("replacement", ["False", "Conditional", "True"])
def test_a_custom_resource(kind, replacement):
    """
    Whatever CloudFormation supposes, the id in the provider's response decides.
    """
    first, second = lines_of(change(kind, replacement, DOMAIN, TAGS))

    assert "replaced" not in first
    assert f"      {PROVIDER}: DomainName changes" == second


@pytest.mark.parametrize("action", ["Add", "Remove", "Import", "Dynamic"])
def test_what_is_not_changed_in_place(action):
    """
    What comes and goes has one line, with its mark.
    """
    given = change("Custom::Thing", "")
    given["ResourceChange"]["Action"] = action
    (line,) = lines_of(given)

    assert {"Add": "+", "Remove": "-", "Import": "<", "Dynamic": "?"}[action] == line[2]
