"""The test kit: CloudFormation and its faults, in process and in no time."""

from ._clock import VirtualClock
from ._cloudformation import Answer, FakeCloudFormation, Held
from ._ports import Crashed

__all__ = ["Answer", "Crashed", "FakeCloudFormation", "Held", "VirtualClock"]
