"""The same provider with a Timeout of a few seconds, where a run of thirty shows nothing more."""

import cfn_once._hooks.execution

# A provider of ours refuses less than 30 s: a retry elsewhere waits for that long, and has to have
# time left. These runs are not retried elsewhere.
cfn_once._hooks.execution.SHORTEST = 0

from groups import provider  # noqa: E402 - after the setting

__all__ = ["provider"]
