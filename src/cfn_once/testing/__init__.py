"""The test kit: CloudFormation and its faults, in process and in no time."""

from ._clock import VirtualClock
from ._cloudformation import Answer, Crashed, FakeCloudFormation, Held

__all__ = ["Answer", "Crashed", "FakeCloudFormation", "Held", "VirtualClock"]
