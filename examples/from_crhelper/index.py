"""Custom::Monitor as it was written for crhelper: its import line is another, and nothing else."""

import logging
import os
from typing import Any

import requests

from cfn_once.crhelper import CfnResource  # was: from crhelper import CfnResource

logger = logging.getLogger(__name__)
helper = CfnResource(json_logging=False, log_level="INFO", boto_level="CRITICAL")

Event = dict[str, Any]


def api() -> str:
    return os.environ["MONITOR_API"]


def wanted(event: Event) -> Event:
    properties = event["ResourceProperties"]
    return {"address": properties["Address"], "interval": int(properties.get("Interval", "60"))}


@helper.create
def create(event: Event, context: Any) -> str:
    logger.info("Got Create")
    response = requests.post(f"{api()}/monitors", json=wanted(event), timeout=10)
    response.raise_for_status()
    monitor: str = response.json()["id"]
    helper.Data["MonitorId"] = monitor
    return monitor


@helper.update
def update(event: Event, context: Any) -> None:
    logger.info("Got Update")
    monitor = event["PhysicalResourceId"]
    response = requests.put(f"{api()}/monitors/{monitor}", json=wanted(event), timeout=10)
    response.raise_for_status()
    helper.Data["MonitorId"] = monitor


@helper.delete
def delete(event: Event, context: Any) -> None:
    logger.info("Got Delete")
    monitor = event["PhysicalResourceId"]
    response = requests.delete(f"{api()}/monitors/{monitor}", timeout=10)
    if response.status_code != 404:
        response.raise_for_status()


def handler(event: Event, context: Any) -> None:
    helper(event, context)
