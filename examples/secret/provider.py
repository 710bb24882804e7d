"""Custom::GeneratedSecret: a random secret in Parameter Store, which no template ever holds."""

import secrets
import string
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta

from cfn_once import CustomResource, Provider, Step


@dataclass(frozen=True)
class SecretProperties:
    Path: Annotated[str, Meta(pattern=r"^(/[A-Za-z0-9_.-]+)+$")]
    Length: Annotated[int, Meta(ge=8, le=1024)] = 32
    Alphabet: Annotated[str, Meta(min_length=10)] = string.ascii_letters + string.digits
    KeyId: str = "alias/aws/ssm"
    Rotation: str = ""  # whatever it is: another one is another secret
    ReturnValue: bool = False


@dataclass(frozen=True)
class SecretAttributes:
    Name: str
    Value: str | None = None  # only if the template asks for it


class GeneratedSecret(CustomResource[SecretProperties, SecretAttributes]):
    """A random secret, as a SecureString of Parameter Store; `Ref` is the parameter's name."""

    replace_on = {"Path", "Length", "Alphabet", "KeyId", "Rotation"}

    def create(self) -> SecretAttributes:
        self.no_echo = self.properties.ReturnValue  # before a step: it may be refused
        self.physical_resource_id = self.step("parameter", self.put, find=self.find)
        return self.attributes()

    def update(self) -> SecretAttributes:
        self.no_echo = self.properties.ReturnValue
        return self.attributes()

    def delete(self) -> None:
        self.client("ssm").delete_parameter(Name=self.physical_resource_id)

    def put(self, step: Step) -> str:
        """Make the secret and store it in one step, and return where it is."""
        asked = self.properties
        value = "".join(secrets.choice(asked.Alphabet) for _ in range(asked.Length))
        self.mask(value)
        self.client("ssm").put_parameter(
            Name=self.name(step), Value=value, Type="SecureString", KeyId=asked.KeyId
        )
        return self.name(step)

    def find(self, step: Step) -> str | None:
        ssm = self.client("ssm")
        try:
            ssm.get_parameter(Name=self.name(step))
        except ssm.exceptions.ParameterNotFound:
            return None
        return self.name(step)

    def name(self, step: Step) -> str:
        """Return a name that nobody else has: the step's token is in it."""
        return f"{self.properties.Path}/{step.tokens.hex32}"

    def attributes(self) -> SecretAttributes:
        name = self.physical_resource_id
        if not self.properties.ReturnValue:
            return SecretAttributes(Name=name)
        found = self.client("ssm").get_parameter(Name=name, WithDecryption=True)
        value: str = found["Parameter"]["Value"]
        self.mask(value)
        return SecretAttributes(Name=name, Value=value)


provider = Provider(GeneratedSecret)
