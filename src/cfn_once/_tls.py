"""The TLS context of the process: the ledger and the answers to CloudFormation share it."""

import os
from functools import lru_cache
from typing import Any


def tls_context() -> Any:
    """Return the context, an `ssl.SSLContext`: to read the authorities is a tenth of an init.

    They are the system's, or those of SSL_CERT_FILE and SSL_CERT_DIR; where there are none at all,
    as in some container images, certifi's.
    """
    return _context(os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@lru_cache(maxsize=1)
def _context(*_named: str | None) -> Any:
    import ssl  # loads OpenSSL: not before something is sent, or will be

    context = ssl.create_default_context()
    folder = ssl.get_default_verify_paths().capath  # its files are read on demand
    if folder is None and not context.cert_store_stats()["x509_ca"]:
        from certifi import where  # requests brings it along

        context.load_verify_locations(where())
    return context
