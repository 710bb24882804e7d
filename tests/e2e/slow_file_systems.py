"""Custom::SlowFileSystem: a file system that counts as ready only some time after it was made."""

import time

from cfn_once import CustomResource, Provider

READY = 30  # seconds after it was made


class SlowFileSystem(CustomResource[dict, dict]):
    """A file system that is waited for, for longer than its function shall run."""

    def create(self):
        made = self.client("efs").create_file_system()
        self.physical_resource_id = made["FileSystemId"]
        return {"State": self.wait_until(self.state, every=61)}

    def state(self):
        efs = self.client("efs")
        (one,) = efs.describe_file_systems(FileSystemId=self.physical_resource_id)["FileSystems"]
        old = time.time() - one["CreationTime"].timestamp() > READY
        return one["LifeCycleState"] if old else None

    def delete(self):
        self.client("efs").delete_file_system(FileSystemId=self.physical_resource_id)


provider = Provider(SlowFileSystem)
