"""
A process that has loaded what the command needs of others, and forks for each call of it.

    python warm.py SOCKET MODULE...

It reads the folder of a call, a line each, and writes the exit code. Nothing of cfn-once is loaded
before the fork, and what a call does to its process ends with it.
"""

import gc
import importlib
import json
import os
import runpy
import socket
import sys
from pathlib import Path

STREAMS = {"in": os.O_RDONLY, "out": os.O_WRONLY | os.O_CREAT, "err": os.O_WRONLY | os.O_CREAT}


def folder_of_call(asked: socket.socket) -> Path | None:
    """Fork for each call: return its folder in the new process, and None when all are over."""
    with asked, asked.makefile("rw") as calls:
        for line in calls:
            child = os.fork()
            if not child:
                return Path(line.removesuffix("\n"))
            _, status = os.waitpid(child, 0)
            print(os.waitstatus_to_exitcode(status), file=calls, flush=True)
    return None


def become(folder: Path) -> None:
    """Be what a shell would have started."""
    call = json.loads((folder / "call").read_text())
    for number, (name, flags) in enumerate(STREAMS.items()):
        opened = os.open(folder / name, flags, 0o600)
        os.dup2(opened, number)
        os.close(opened)
    os.environ.clear()
    os.environ.update(call["environment"])
    os.chdir(call["folder"])
    sys.path[0] = os.getcwd()
    sys.argv = ["cfn_once", *call["arguments"]]
    if any(name.startswith("COVERAGE_PROCESS") for name in os.environ):
        import coverage  # which its .pth has not done, for it was not asked to

        coverage.process_startup()


if __name__ == "__main__":
    for module in sys.argv[2:]:
        importlib.import_module(module)
    gc.freeze()  # a call that collects its garbage has no need to look at what is shared
    found = folder_of_call(socket.socket(fileno=int(sys.argv[1])))
    if found is not None:
        become(found)
        runpy.run_module("cfn_once", run_name="__main__", alter_sys=True)
