"""Custom::FileSystem: an EFS file system; a provider for the stories of this folder."""

from dataclasses import dataclass
from typing import Literal

from cfn_once import CustomResource, PermanentError, Provider


@dataclass(frozen=True)
class FileSystemProperties:
    ThroughputMode: Literal["bursting", "elastic", "provisioned"] = "bursting"
    ProvisionedThroughputInMibps: int | None = None
    Encrypted: bool = False


@dataclass(frozen=True)
class FileSystemAttributes:
    FileSystemId: str
    Arn: str


class FileSystem(CustomResource[FileSystemProperties, FileSystemAttributes]):
    """An EFS file system."""

    replace_on = {"Encrypted"}

    def create(self):
        wanted = self.properties
        made = self.client("efs").create_file_system(
            Encrypted=wanted.Encrypted, **self.throughput()
        )
        self.physical_resource_id = made["FileSystemId"]
        return FileSystemAttributes(made["FileSystemId"], made["FileSystemArn"])

    def update(self):
        changed = self.client("efs").update_file_system(
            FileSystemId=self.physical_resource_id, **self.throughput()
        )
        return FileSystemAttributes(changed["FileSystemId"], changed["FileSystemArn"])

    def delete(self):
        self.client("efs").delete_file_system(FileSystemId=self.physical_resource_id)

    def throughput(self):
        wanted = self.properties
        if wanted.ThroughputMode != "provisioned":
            return {"ThroughputMode": wanted.ThroughputMode}
        if wanted.ProvisionedThroughputInMibps is None:
            raise PermanentError("provisioned throughput needs ProvisionedThroughputInMibps")
        return {
            "ThroughputMode": "provisioned",
            "ProvisionedThroughputInMibps": wanted.ProvisionedThroughputInMibps,
        }


provider = Provider(FileSystem)
