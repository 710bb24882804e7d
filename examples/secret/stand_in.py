"""Parameter Store, by moto: all that boto3 calls in this process goes there."""

import os

from moto import mock_aws
from moto.backends import get_backend

REGION = "eu-central-1"


class ParameterStore:
    """Parameter Store, as `assert_safe` looks at it."""

    def __init__(self):
        os.environ["AWS_DEFAULT_REGION"] = REGION
        self._moto = mock_aws()
        self._moto.start()
        self.reset()

    def close(self):
        self._moto.stop()

    @property
    def objects(self):
        """Every version of each parameter, by name."""
        kept = self._backend._parameters  # a call of the service at each look would take minutes
        return {name: versions for name, versions in kept.items() if versions}

    def reset(self):
        """Forget all, but for what somebody else has put there."""
        self._backend.reset()
        self._backend.put_parameter(
            "/shop/database", "", "theirs", "String", "", "", False, [], "text", None, None
        )

    @property
    def _backend(self):
        return get_backend("ssm")["123456789012"][REGION]
