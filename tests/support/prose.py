"""What a page reads like: its words, and how long its sentences are.

Code, headings and HTML comments are left out; a code span counts as one word. Tables are left out
of the lengths, and not of the words.
"""

import re
from collections.abc import Iterator

# The one list of words that no page uses, with what to write in their place. Each entry is a
# pattern for one word or phrase; upper and lower case are the same.
BANNED = {
    r"told": "says, receives, gets",
    r"befalls?|befell|befallen": "happens to",
    r"whoever|whomever": "anybody who, the person who",
    r"anew": "again",
    r"hence": "so",
    r"thereby|thereof|therein|wherein|whereby": "so, in it",
    r"lies in|lie in": "is in, is stored in",
    r"stands over|stand over": "takes precedence over",
    r"olds": "replaced ids",
    r"far side": "external API",
    r"debts?|owed|owes?": "leftovers, cleanup of an earlier request",
    r"sought": "is looked up",
    r"twins?": "another delivery",
    r"nobody can tell|nobody can know": "cfn-once cannot determine",
    r"nothing can tell|nothing tells": "cfn-once cannot determine",
    r"is answered FAILED|are answered FAILED": "fails, responds FAILED",
    r"the dead one|the dead(?![ -][a-z])": "the execution that died",
    r"goes on in none|waits in none": "continues in a later invocation",
    r"in vain": "without a result",
    r"for it is|for they are|for it has": "because",
    r"at will": "any number of times",
    r"of its own accord|besides what|all else": "other",
}

MEDIAN, P95 = 14, 28  # words a sentence: what a page, and all pages together, may have

_WORDS = re.compile(r"[\w'-]+")
_LEFT_OUT = re.compile(r"^```.*?^```$|<!--.*?-->|^#.*?$", re.MULTILINE | re.DOTALL)
_TABLE = re.compile(r"^\|.*$", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_SPAN = re.compile(r"`[^`]*`")


def prose(text: str) -> str:
    """Return what of a page is prose; each code span is the word `code`."""
    return _SPAN.sub("code", _LINK.sub(r"\1", _LEFT_OUT.sub("", text)))


def banned(text: str) -> list[str]:
    """Return each banned word of a page, with what to write instead."""
    found = prose(text)
    return [
        f"{match[0]}: write {instead}"
        for pattern, instead in BANNED.items()
        for match in re.finditer(rf"\b(?:{pattern})\b", found, re.IGNORECASE)
    ]


def sentences(text: str) -> Iterator[str]:
    """Yield the sentences of a page, without its tables."""
    for paragraph in re.split(r"\n\s*\n|\n *[-*] |\n *\d+\. ", _TABLE.sub("", prose(text))):
        for sentence in re.split(r"(?<=[.!?])[)\"*]*\s+", paragraph.strip()):
            if len(_WORDS.findall(sentence)) > 1:
                yield sentence


def lengths(text: str) -> list[int]:
    """Return how many words each sentence of a page has, shortest first."""
    return sorted(len(_WORDS.findall(sentence)) for sentence in sentences(text))


def percentile(words: list[int], part: float) -> int:
    """Return the length that this part of the sentences does not exceed."""
    return words[min(int(len(words) * part), len(words) - 1)] if words else 0


def faults(text: str) -> list[str]:
    """Return what of a page is hard to read: banned words, and sentences that are too long."""
    words = lengths(text)
    found = banned(text)
    if percentile(words, 0.5) > MEDIAN:
        found.append(f"half of its sentences have {percentile(words, 0.5)} words or more")
    if percentile(words, 0.95) > P95:
        long = [sentence for sentence in sentences(text) if len(_WORDS.findall(sentence)) > P95]
        found.append(f"more than 5 % of its sentences have over {P95} words: {long}")
    return found
