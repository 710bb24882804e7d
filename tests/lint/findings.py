"""
What cfn-lint finds in the templates beside this file, and what it is to find.

A line that is to be found fault with ends in a mark: `Product: Mac #! E9730`. Run it with the
Python of another cfn-lint, and it compares all templates:

    PYTHONPATH=src other/bin/python tests/lint/findings.py
"""

import os
import re
import sys
from functools import cache
from pathlib import Path

from cfnlint.api import ManualArgs
from cfnlint.config import ConfigMixIn
from cfnlint.decode.decode import decode_str
from cfnlint.runner import Runner, run_template_by_data

HERE = Path(__file__).parent
TEMPLATES = sorted(HERE.glob("templates/*.yaml"))
MARK = re.compile(r"#! (.+)$")


def expected(text):
    """Return each rule that is to be told of, with its line."""
    return {
        (number, rule)
        for number, line in enumerate(text.splitlines(), 1)
        if (mark := MARK.search(line))
        for rule in mark[1].split()
    }


@cache
def rules():
    """Return cfn-lint's rules and ours, which take a second to load."""
    return Runner(ConfigMixIn(**ManualArgs(append_rules=["cfn_once.lint"]))).rules


def found(text, *, providers=("serving:provider",), **more):
    """Return what cfn-lint finds, after it has read the template's own opt-outs."""
    options = {"include_checks": [], "ignore_checks": [], **more}
    configured = {"E9701": {"providers": list(providers)}, **options.pop("configured", {})}
    config = ConfigMixIn(**ManualArgs(configure_rules=configured, **options))
    template, problems = decode_str(text)
    return problems or list(run_template_by_data(template, config, rules()))


def places(matches):
    return {(match.linenumber, match.rule.id) for match in matches}


def options_for(path):
    """Notes are shown only where a template is about them."""
    return {"include_checks": ["I9794"]} if path.name.startswith("I9794") else {}


def differences():
    for path in TEMPLATES:
        text = path.read_text()
        wanted, got = expected(text), places(found(text, **options_for(path)))
        if wanted != got:
            missing, more = sorted(wanted - got), sorted(got - wanted)
            yield f"{path.name}: not found {missing}; found besides {more}"


if __name__ == "__main__":
    os.chdir(HERE)
    different = list(differences())
    sys.stdout.write("".join(f"{line}\n" for line in different))
    sys.exit(bool(different))
