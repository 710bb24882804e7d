"""The dashboard's template on a local AWS, which lacks saved queries of Logs Insights."""

import json

import pytest

from unit.test_templates import template

pytestmark = pytest.mark.e2e


def test_it_is_deployed_with_its_alarms(ministack):
    """
    The dashboard that CloudWatch holds is JSON, names the function and its log, and the alarms that
    were made with it.
    """
    read = dict(template("dashboard"))
    read["Resources"] = {
        name: thing
        for name, thing in read["Resources"].items()
        if thing["Type"] != "AWS::Logs::QueryDefinition"
    }
    formation, given = (
        ministack.client("cloudformation"),
        {"FunctionName": "f", "LogGroupName": "g"},
    )
    formation.create_stack(
        StackName="dashboard",
        TemplateBody=json.dumps(read),
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value} for name, value in given.items()
        ],
    )
    formation.get_waiter("stack_create_complete").wait(
        StackName="dashboard", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )
    watch = ministack.client("cloudwatch")
    body = json.loads(watch.get_dashboard(DashboardName="cfn-once-f")["DashboardBody"])
    alarms = {
        alarm["AlarmArn"]: alarm["MetricName"] for alarm in watch.describe_alarms()["MetricAlarms"]
    }

    assert {"AnswersFailed", "SecondsToAnswer", "Takeovers"} == {
        alarms[arn] for arn in body["widgets"][-1]["properties"]["alarms"]
    }
    assert ["cfn-once", "Deliveries", "FunctionName", "f"] == (
        body["widgets"][0]["properties"]["metrics"][0][:4]
    )
    assert body["widgets"][4]["properties"]["query"].startswith(
        "SOURCE 'g' | filter Deliveries = 1"
    )
