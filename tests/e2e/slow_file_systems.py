"""File systems that are ready only some time after they were made, or that take long to make."""

import time
from datetime import timedelta

import boto3

from cfn_once import CustomResource, Provider, Step

READY = 30  # seconds after it was made
TAKES = 8  # seconds, of the 30 that an invocation has in the test


class SlowFileSystem(CustomResource[dict, dict]):
    """A file system that is waited for, for longer than its function shall run."""

    def create(self):
        made = self.client("efs").create_file_system()
        self.physical_resource_id = made["FileSystemId"]
        return {"State": self.wait_until(self.state, every=61)}

    def state(self):
        efs = self.client("efs")
        (found,) = efs.describe_file_systems(FileSystemId=self.physical_resource_id)["FileSystems"]
        old = time.time() - found["CreationTime"].timestamp() > READY
        return found["LifeCycleState"] if old else None

    def delete(self):
        self.client("efs").delete_file_system(FileSystemId=self.physical_resource_id)


class FileSystems(CustomResource[dict, dict]):
    """Three of them, one by one: more than one invocation has time for."""

    def create(self):
        names = ("first", "second", "third")
        made = [self.step(name, self.make, window=timedelta(days=1)) for name in names]
        self.physical_resource_id = "/".join(made)
        return {"Number": len(made)}

    def make(self, step: Step):
        time.sleep(TAKES)
        efs = boto3.client("efs")
        return efs.create_file_system(CreationToken=step.token)["FileSystemId"]

    def delete(self):
        for part in self.physical_resource_id.split("/"):
            self.client("efs").delete_file_system(FileSystemId=part)


provider = Provider(SlowFileSystem, FileSystems)
