"""What must not pass: a checker that lets a line through reports its comment as unused.

Each line bears the kind of error that mypy tells, and the one that pyright tells.
"""

from dataclasses import dataclass

from cfn_once import CustomResource, Provider, Step


@dataclass(frozen=True)
class Properties:
    Name: str


@dataclass(frozen=True)
class Attributes:
    Id: str


class Wrong(CustomResource[Properties, Attributes]):
    replace_on = "Name"  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]
    unresolved = "ignore"  # type: ignore[assignment]  # pyright: ignore[reportAssignmentType]

    def create(self) -> Properties:  # type: ignore[override]  # pyright: ignore[reportIncompatibleMethodOverride]
        self.properties.Nmae  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # noqa: B018
        self.physical_resource_id = 5  # type: ignore[assignment]  # pyright: ignore[reportAttributeAccessIssue]
        return self.properties

    def delete(self) -> None:
        self.properties = None  # type: ignore[misc,assignment]  # pyright: ignore[reportAttributeAccessIssue]


class Steps(CustomResource[Properties, None]):
    def create(self) -> None:
        self.step("x", self.delete)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        self.step("x", lambda step: None, print)  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
        self.step("x", self.make, window=3600)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        self.step("x", self.make, refused=("Error",))  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        self.step("x", self.make, undo=self.undo)  # type: ignore[misc]  # pyright: ignore[reportArgumentType]
        self.step("x", self.make, find=self.find)["id"]  # type: ignore[index]  # pyright: ignore[reportArgumentType]
        self.step("x", self.make).upper()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        self.value("x", self.make)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        self.value("x", lambda: 5).upper()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        self.wait_until(self.look).imag  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]  # noqa: B018
        self.wait_until(lambda step: step)  # type: ignore[arg-type,misc]  # pyright: ignore[reportArgumentType]

    def delete(self) -> None:
        self.log.info("gone")

    def make(self, step: Step) -> dict[str, str]:
        return {"id": step.token}

    def find(self, step: Step) -> str | None:
        return step.token

    def undo(self, made: int) -> None:
        self.log.info("%s", made)

    def look(self) -> str | None:
        return None


class Calls(CustomResource[Properties, None]):
    def create(self) -> None:
        self.http.post("https://api.example.com", find=self.find).json()  # type: ignore[union-attr]  # pyright: ignore[reportAttributeAccessIssue]
        self.client("ssm", repeat="PutParameter")  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        self.client("ssm", once=["PutParameter"])  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        self.client("ssm", find=self.find)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
        self.client("ssm", window={"SendCommand": 60})  # type: ignore[dict-item]  # pyright: ignore[reportArgumentType]
        self.wrap("s3").get_object()  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]
        self.resource("s3")  # type: ignore[attr-defined]  # pyright: ignore[reportAttributeAccessIssue]

    def find(self, step: Step) -> dict[str, str] | None:
        return {"id": step.token}


Provider(Properties)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]
Provider(Steps, ledgers="memory://")  # type: ignore[call-arg]  # pyright: ignore[reportCallIssue]
