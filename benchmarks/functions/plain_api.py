"""The groups' API as peers' handlers call it."""

import json
import os
import time
import urllib.error
import urllib.request

API = os.environ.get("API", "")


def create_group(properties):
    """Make a group, and return its id when it is ready."""
    group = _call("POST", "/groups", {"name": properties["Name"]})
    while not _call("GET", f"/groups/{group['id']}")["ready"]:
        time.sleep(0.5)
    return group["id"]


def delete_group(group_id):
    """Remove a group; one that is gone is removed."""
    try:
        _call("DELETE", f"/groups/{group_id}")
    except urllib.error.HTTPError as error:
        if error.code != 404:
            raise


def _call(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(API + path, data=data, method=method)
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.loads(response.read() or "null")
