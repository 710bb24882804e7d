"""A browser without a window, spoken to over a pipe: Chromium's DevTools protocol."""

import itertools
import json
import os
import select
import shutil
import subprocess
from typing import Any, Self

CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
PATIENCE = 120  # seconds; a busy machine starts it slowly
QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--hide-scrollbars", "--no-first-run", "--disable-background-networking"),
)


class Browser:
    """One page in one Chromium; what the page asks for is kept in `asked`.

    Args:
        home: A folder for the browser's profile.
    """

    def __init__(self, home) -> None:
        self.asked: list[str] = []
        self._ids, self._rest, self._loaded = itertools.count(1), b"", False
        read_by_it, self._write = os.pipe()
        self._read, written_by_it = os.pipe()
        command = [CHROMIUM, *QUIET, "--remote-debugging-pipe", f"--user-data-dir={home}"]
        # The protocol's own numbers: it reads at 3 and writes at 4. A shell can hand them over.
        handed = f'exec 3<&{read_by_it} 4>&{written_by_it}; exec "$@"'
        self._process = subprocess.Popen(
            ["bash", "-c", handed, "chromium", *command],
            pass_fds=(read_by_it, written_by_it),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(read_by_it)
        os.close(written_by_it)
        target = self._ask("Target.createTarget", url="about:blank")["targetId"]
        attached = self._ask("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Network", "Page", "Runtime"):
            self.ask(f"{domain}.enable")
        # A page's worker is a target of its own: what it asks for counts as well.
        self.ask(
            "Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=False, flatten=True
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        os.close(self._write)
        os.close(self._read)

    def size(self, width: int, height: int, *, phone: bool = False) -> None:
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=phone,
        )

    def open(self, address: str) -> None:
        """Open a page, and return when it and all that it names are loaded."""
        self._loaded = False
        self.ask("Page.navigate", url=address)
        while not self._loaded:
            self._next()

    def run(self, script: str) -> Any:
        """Return what a script in the page gives, once its promise is kept."""
        told = self.ask(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def ask(self, method: str, **params: Any) -> dict[str, Any]:
        return self._ask(method, session=self._session, **params)

    def _send(self, method: str, *, session: str | None = None, **params: Any) -> int:
        message = {"id": next(self._ids), "method": method, "params": params}
        if session:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        return message["id"]

    def _ask(self, method: str, *, session: str | None = None, **params: Any) -> dict[str, Any]:
        asked = self._send(method, session=session, **params)
        while (told := self._next()).get("id") != asked:
            pass
        assert "error" not in told, told
        return told["result"]

    def _next(self) -> dict[str, Any]:
        """Return the next message, and keep what it says of a request."""
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._read], [], [], PATIENCE)
            assert ready, f"the browser said nothing for {PATIENCE} seconds"
            more = os.read(self._read, 1 << 16)
            assert more, "the browser has ended"
            self._rest += more
        one, _, self._rest = self._rest.partition(b"\0")
        message = json.loads(one)
        match message.get("method"):
            case "Page.loadEventFired":
                self._loaded = True
            case "Network.requestWillBeSent":
                self.asked.append(message["params"]["request"]["url"])
            case "Target.attachedToTarget" if message.get("sessionId"):
                self._send("Network.enable", session=message["params"]["sessionId"])
        return message
