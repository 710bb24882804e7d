"""The ways in which a hook dies or gets stuck, the same for every framework."""

import ctypes
import hashlib
import re
import resource
import socket
import sys
import time

LONG = 3600  # seconds: over any function's Timeout
MEGABYTE = 2**20
HEADROOM = 96 * MEGABYTE  # over what the process has when its memory is limited


def die(how):
    """Do as a template asks; `none` returns."""
    WAYS[how]()


def fail():
    raise RuntimeError("the external API said no")


def sleep():
    time.sleep(LONG)


def receive():
    """Wait for bytes that never come."""
    ours, _theirs = socket.socketpair()
    ours.recv(1)


def swallow():
    """Try again for ever, whatever is raised."""
    while True:
        try:
            time.sleep(0.05)
            raise ConnectionError("not yet")
        except BaseException:  # as bad as it gets, which is the point
            pass


def compute():
    """Work in Python, and never end."""
    while True:
        pass


def digest():
    """Work in C that releases the GIL."""
    hashlib.pbkdf2_hmac("sha256", b"word", b"salt", 10**9)


def sleep_in_c():
    """Wait in C that releases the GIL."""
    ctypes.CDLL(None).sleep(LONG)


def hold_the_gil():
    """Wait in C that keeps the GIL: no other thread of the process runs any more."""
    ctypes.PyDLL(None).sleep(LONG)


def match():
    """Work in C that keeps the GIL: a pattern that backtracks for centuries."""
    re.match(r"(a+)+$", "a" * 64 + "b")


def want_more_than_there_is():
    """Ask for memory until the kernel refuses it: MemoryError."""
    with open("/proc/self/statm", encoding="ascii") as file:
        limit = int(file.read().split()[0]) * resource.getpagesize() + HEADROOM
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    hoard()


def hoard():
    """Take memory until something ends it, in small pieces so that it happens anywhere."""
    taken = []
    while True:
        taken.append(b"\1" * MEGABYTE)
        time.sleep(0.001)


def crash():
    """Read where nothing is: a segmentation fault."""
    ctypes.string_at(0)


WAYS = {
    "none": lambda: None,
    "fail": fail,
    "exit": lambda: sys.exit(1),
    "sleep": sleep,
    "receive": receive,
    "swallow": swallow,
    "compute": compute,
    "digest": digest,
    "sleep in C": sleep_in_c,
    "hold the GIL": hold_the_gil,
    "match": match,
    "MemoryError": want_more_than_there_is,
    "hoard": hoard,
    "crash": crash,
}
