"""What `cfn-once test` has pytest collect: the contract and every single fault, of each type.

pytest imports it in the provider's folder, in a process of its own.
"""

import os
from typing import Any

from .._described.importing import import_here
from .._described.settings import settings_of
from ..testing.contract import ProviderContract
from ..testing.safe import assert_safe
from .stand_in import set_clock, stand_in
from .test import sample_properties, types_to_test

_SETTINGS = settings_of(os.getcwd())
_API = stand_in(_SETTINGS.external_api)  # first: it tells the hooks where it is
_PROVIDER = import_here(os.environ.get("CFN_ONCE_TESTED", _SETTINGS.provider))


class _Contract(ProviderContract):
    provider = _PROVIDER
    allow_in_doubt = _SETTINGS.allow_in_doubt

    def setup_method(self) -> None:
        if _API is not None:
            _API.reset()
        super().setup_method()
        set_clock(_API, self.cloudformation.clock)

    def left_over(self) -> Any:
        return () if _API is None else set(_API.objects)

    def test_every_single_fault(self) -> None:
        """Crashes, duplicates and lost answers make nothing twice, and leave nothing."""
        checked = assert_safe(_PROVIDER, self.life, _API, allow_in_doubt=_SETTINGS.allow_in_doubt)
        if not checked.complete:
            raise AssertionError(f"{checked.runs} runs were not enough for every fault")

    @classmethod
    def life(cls, stack: Any) -> None:
        """Create, change where that is known, and delete."""
        stack.create("Resource", cls.properties, resource_type=cls.resource_type)
        if cls.changed is not None:
            stack.update("Resource", cls.changed)
        stack.delete("Resource")


for _type in types_to_test(_SETTINGS, _PROVIDER):
    _name = "Test" + "".join(filter(str.isalnum, _type.rpartition("::")[2]))
    globals()[_name] = type(
        _name,
        (_Contract,),
        {
            "resource_type": _type,
            "properties": sample_properties(_SETTINGS, _PROVIDER, _type),
            "changed": _SETTINGS.changed.get(_type),
            "replaced": _SETTINGS.replaced.get(_type),
        },
    )
