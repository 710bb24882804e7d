"""Custom::AccessPoint: a way into a file system that another provider made."""

from dataclasses import dataclass

from cfn_once import CustomResource, Provider


@dataclass(frozen=True)
class AccessPointProperties:
    FileSystemId: str
    Path: str = "/"


@dataclass(frozen=True)
class AccessPointAttributes:
    AccessPointId: str


class AccessPoint(CustomResource[AccessPointProperties, AccessPointAttributes]):
    """A way into a file system that somebody else made."""

    replace_on = {"FileSystemId", "Path"}

    def create(self):
        made = self.client("efs").create_access_point(
            FileSystemId=self.properties.FileSystemId,
            RootDirectory={"Path": self.properties.Path},
        )
        self.physical_resource_id = made["AccessPointId"]
        return AccessPointAttributes(made["AccessPointId"])

    def delete(self):
        self.client("efs").delete_access_point(AccessPointId=self.physical_resource_id)


provider = Provider(AccessPoint)
