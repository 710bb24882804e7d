"""The ways to die, as rows of the table."""

import re
from dataclasses import dataclass
from pathlib import Path

TEMPLATE = Path(__file__).resolve().parents[2] / "templates" / "provider.yaml"
SHORTEST = 30.0  # seconds; the least Timeout that a provider of ours takes
TIMEOUT = 35.0  # seconds of ours; a cold start on a busy machine takes its share of them
PEERS_TIMEOUT = 10.0  # seconds; they have no least one
LAMBDA_WAITS = (60.0, 120.0)  # Lambda Developer Guide, "Asynchronous invocation"
SHORT_WAITS = (1.0, 2.0)

# What stands in a module that each of the functions imports first, and calls `load` of.
HEALTHY = "def load():\n    pass\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """One way to die, or not to run at all.

    Attributes:
        name: As the table tells it.
        hook: What the Create's hook does when it has made its group: a name in `dying.WAYS`.
        where: Where in the hook, for ours: outside of its steps, or in one.
        settings: The text of the module that the function imports first.
        unset: A variable that its environment lacks.
        timeout: Seconds that the function has for an event; a peer's has PEERS_TIMEOUT.
        memory: Bytes of resident memory at which it is killed, as Lambda kills it.
        runs: Lambda gets to run it before the event is too old.
        s3: The function has a way to where answers go; the guardian always has.
        ledger: There is a way to the ledger. The Delete of what was answered without it fails, and
            comes again: only the ledger knows what was made.
        waits: Seconds between the tries.
        peers: It means something for a framework without our ledger and settings.
        patient: It takes long, most of it idle: many are played at the same time.
    """

    name: str
    hook: str = "none"
    where: str = "behind its steps"
    settings: str = HEALTHY
    unset: str = ""
    timeout: float = TIMEOUT
    memory: int = 0
    runs: bool = True
    s3: bool = True
    ledger: bool = True
    waits: tuple[float, ...] = SHORT_WAITS
    peers: bool = True
    patient: bool = False


WAYS = (
    Way(name="import error", settings="import left_out_of_the_zip_file\n"),
    Way(name="syntax error", settings="def load(:\n"),
    Way(name="CFN_ONCE_PROVIDER unset", unset="CFN_ONCE_PROVIDER", peers=False),
    Way(name="CFN_ONCE_LEDGER unset", unset="CFN_ONCE_LEDGER", peers=False),
    Way(
        name="a setting of its own unset",
        settings=("import os\n\n\ndef load():\n    os.environ['EXTERNAL_API']\n"),
    ),
    Way(
        name="exception at import",
        settings=("def load():\n    raise ValueError('no Region is called eu-middle-1')\n"),
    ),
    Way(name="exception in the hook", hook="fail"),
    Way(name="SystemExit in the hook", hook="exit"),
    Way(name="MemoryError in the hook", hook="MemoryError"),
    Way(name="stuck in time.sleep", hook="sleep", patient=True),
    Way(name="stuck in a step", hook="sleep", where="in a step", peers=False, patient=True),
    Way(name="stuck in a socket's recv", hook="receive", patient=True),
    Way(name="stuck, and swallows all exceptions", hook="swallow", patient=True),
    Way(name="stuck in C without the GIL", hook="sleep in C", patient=True),
    Way(name="stuck in C that holds the GIL", hook="match", patient=True),
    Way(name="timed out three times", hook="hold the GIL", patient=True),
    Way(name="out of memory, killed", hook="hoard", memory=256 * 2**20, patient=True),
    Way(name="segmentation fault", hook="crash", patient=True),
    Way(
        name="segmentation fault in a step",
        hook="crash",
        where="in a step",
        peers=False,
        patient=True,
    ),
    Way(name="throttled until the event is too old", runs=False),
    Way(name="no way to S3", s3=False, patient=True),
    # It is answered without the ledger when the event is five minutes old, so the waits are real.
    Way(
        name="no way to the ledger",
        ledger=False,
        timeout=120.0,
        waits=LAMBDA_WAITS,
        peers=False,
        patient=True,
    ),
)


def oldest_event() -> float:
    """Return the age at which Lambda gives an event up, as the template sets it, in seconds."""
    text = TEMPLATE.read_text(encoding="utf-8")
    return float(re.findall(r"MaximumEventAgeInSeconds: (\d+)", text)[0])
