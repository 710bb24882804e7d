"""A provider's module that cannot be imported, and whose error tells a secret."""

from fuzz.providers import broken

broken()
