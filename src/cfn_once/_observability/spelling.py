r"""
How a secret may be spelled in a text, however many writers have escaped it on its way.

    letters and digits    as they are; any other character as one of
    itself                with backslashes before it: JSON in JSON, Python in JSON
    its number            \u0026, \x26, &#38;, %26; or that of each of its bytes in UTF-8
    its name              &amp;, \n
    base64                at each of the three places where it may begin between two letters; of
                          its UTF-8 or of its Latin-1; also where lines of it are broken

What spells it may be escaped again: &amp;quot;, %255C%2522. All that is counted is bounded, so that
no text takes long to search.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache, cached_property
from types import MappingProxyType
from typing import NamedTuple

SHORTEST_SECRET = 4  # characters; masking shorter text would blot out half of every line

_MOST = 32  # backslashes before a character: five writers, each of which doubles them
WIDEST = 80  # characters that stand for one, as far as it matters where a text was cut
_PERCENT = r"%(?:25){0,4}"
_AND, _END = rf"(?:&|(?i:u0026|x26)|{_PERCENT}26)", rf"(?:;|{_PERCENT}3[Bb])"
_AMPERSAND, _HASH = rf"{_AND}(?:amp{_END}){{0,4}}", rf"(?:\#|{_PERCENT}23)"
_BACKSLASH = rf"(?:\\(?i:u005c|x5c)?|{_PERCENT}5[Cc])"
_BACKSLASHES = f"(?:{_BACKSLASH})"  # as many as the secret has, at least
_NO_BACKSLASH_BEFORE = r"(?<!\\)(?<!\\(?i:u005c))(?<!\\(?i:x5c))" + "".join(
    rf"(?<!%{'25' * times}5[Cc])" for times in range(5)
)
_ESCAPE = f"{_BACKSLASH}{{1,{_MOST}}}"
_LETTERS = {"\0": "0", "\a": "a", "\b": "b", "\t": "t", "\n": "n", "\v": "v", "\f": "f", "\r": "r"}
_HTML_NAMES = {'"': "quot", "'": "apos", "<": "lt", ">": "gt"}
_CUT_ESCAPE = rf"[\\%&][\\%&#;0-9A-Za-z]{{0,{WIDEST}}}\Z"
_IN_BASE64 = "[0-9A-Za-z+/_-]"
_BREAK = re.compile(
    rf"(?<={_IN_BASE64})"
    rf"(?:[\r\n]|\\++(?:[rn]|u000[aAdD])|{_PERCENT}0[aAdD]|&\#1[03];)++[ \t]*+"
)
_LETTER_BEFORE, _AFTER = re.compile(_IN_BASE64), re.compile(f"{_IN_BASE64}?={{0,2}}")
_MOST_PARTS = 64  # of a pattern; one of a thousand takes a second to make
_MOST_WORK = 50_000  # parts of a long secret that are compared with one text: about a second
_FOR_URLS = MappingProxyType({"+": "-", "/": "_"})  # RFC 4648, section 5


class Spelling:
    """One secret, or what base64 makes of it, in all its spellings.

    Args:
        secret: Its text.
        is_base64: Its neighbours bear some bits of it, and belong to it.
    """

    def __init__(self, secret: str, *, is_base64: bool = False) -> None:
        self._secret, self.is_base64 = secret, is_base64
        # Nobody escapes these: without them in a text, no pattern need be made.
        self._anchor: str = max(re.findall(r"[0-9A-Za-z]+", secret), key=len, default="")

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield where it is in a text: where it begins, and where it ends.

        Where a text costs too much, all that is left of it is one span.
        """
        if self._anchor not in text:
            return
        found, work = self._beginning.search(text), 0
        while found is not None:
            first, last = found.span()
            if self._is_long:
                last, done = self._followed(text, first)
                work += done
            if work > _MOST_WORK:
                yield first, len(text)
                return
            if last:
                yield self._widened(text, first, last)
            # One that begins as it ends may overlap itself.
            after = first + 1 if not last or self._recurs else last
            found = self._beginning.search(text, after)

    def _followed(self, text: str, first: int) -> tuple[int, int]:
        """Return where all of it ends that begins here, or 0; and how much was compared."""
        places, work = {first}, 0
        for part in self._parts:
            places = {end for place in places for end in part.ends(text, place)}
            work += len(places)
            if not places:
                return 0, work
        return max(places), work

    def _widened(self, text: str, first: int, last: int) -> tuple[int, int]:
        """Return a span with its neighbours in base64, which bear some bits of it."""
        if not self.is_base64:
            return first, last
        before, after = _LETTER_BEFORE.search(text[:first][-1:]), _AFTER.match(text, last)
        return first - (before is not None), last if after is None else after.end()

    def cut_off(self, text: str) -> int | None:
        """Return where the beginning of it stands at the end of a text that was cut, if it does."""
        longest = sum(1 if token.is_plain else WIDEST for token in self._tokens)
        beginning = re.compile(
            "".join(token.pattern for token in self._tokens[: SHORTEST_SECRET - 1])
        )
        starts = beginning.finditer(text, max(len(text) - longest, 0))
        return next((s.start() for s in starts if self._runs_to_end(text, s.start())), None)

    def _runs_to_end(self, text: str, start: int) -> bool:
        """Tell whether the text ends before all of it is there, read in any way."""
        places = {start}
        escape = re.compile(_CUT_ESCAPE)
        for token in self._tokens:
            if any(place == len(text) or escape.match(text, place) for place in places):
                return True
            places = {end for place in places for end in token.ends(text, place)}
        return False

    @cached_property
    def _tokens(self) -> Sequence["_Token"]:
        """What stands for each character; backslashes belong to what they stand before."""
        others = _FOR_URLS if self.is_base64 else {}
        parts = re.findall(r"(\\*)([^\\]|\Z)", self._secret, re.DOTALL)
        made = [_token(len(before), character, others) for before, character in parts]
        return [token for token in made if token.pattern]

    @cached_property
    def _parts(self) -> Sequence["_Token"]:
        """What stands for it, with letters and digits that follow each other as one."""
        parts: list[_Token] = []
        for token in self._tokens:
            if token.is_plain and parts and parts[-1].is_plain:
                parts[-1] = _Token("", (parts[-1].forms[0] + token.forms[0],))
            else:
                parts.append(token)
        return parts

    @cached_property
    def _is_long(self) -> bool:
        """Tell whether one pattern of all would take long to make."""
        return len(self._parts) > _MOST_PARTS

    @cached_property
    def _beginning(self) -> re.Pattern[str]:
        """A pattern of all, or of where it begins."""
        parts = self._parts[:_MOST_PARTS]
        # A run of backslashes is searched once, from where it begins.
        start = _NO_BACKSLASH_BEFORE if parts[0].backslashes.startswith(_BACKSLASHES) else ""
        return re.compile(start + "".join(part.pattern for part in parts))

    @cached_property
    def _recurs(self) -> bool:
        secret = self._secret
        return any(secret.startswith(secret[place:]) for place in range(1, len(secret)))


class Spellings:
    """All that some secrets may look like.

    Args:
        secrets: Their texts.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        self._all = [spelling for secret in secrets for spelling in _spellings(secret)]

    def spans(self, text: str, *, is_cut: bool) -> list[tuple[int, int]]:
        """Return where they are in a text, sorted; where it was cut, their beginnings as well."""
        found = list(_found(self._all, text, is_cut=is_cut))
        joined = _Joined(text)
        if joined.text != text:
            in_base64 = [spelling for spelling in self._all if spelling.is_base64]
            for first, last in _found(in_base64, joined.text, is_cut=is_cut):
                found.append((joined.place(first), joined.place(last - 1) + 1))
        return sorted(found)


def _found(all_: Iterable[Spelling], text: str, *, is_cut: bool) -> Iterator[tuple[int, int]]:
    for spelling in all_:
        yield from spelling.spans(text)
        if is_cut and (first := spelling.cut_off(text)) is not None:
            yield first, len(text)


class _Joined:
    """A text without the ends of lines between letters of base64, written out or escaped.

    Attributes:
        text: What is left.
    """

    def __init__(self, text: str) -> None:
        parts: list[str] = []
        self._starts, self._shifts = [0], [0]
        end = length = 0
        for broken in _BREAK.finditer(text):
            parts.append(text[end : broken.start()])
            length += broken.start() - end
            end = broken.end()
            self._starts.append(length)
            self._shifts.append(end - length)
        self.text = "".join([*parts, text[end:]]) if parts else text

    def place(self, place: int) -> int:
        """Return where in the whole text a character of this one is."""
        return place + self._shifts[bisect_right(self._starts, place) - 1]


def _spellings(secret: str) -> Iterator[Spelling]:
    """Yield all that a secret may look like: as it is, and as what base64 holds it."""
    yield Spelling(secret)
    written = (
        {secret}
        if secret.isascii() and secret.isalnum()
        else {write(secret) for write in _writers()}
    )
    octets = {text.encode(errors="replace") for text in written}
    with suppress(UnicodeEncodeError):  # bytes, and what requests authenticates with
        octets.add(secret.encode("latin-1"))
    parts = {part for data in octets for part in _inside_base64(data)}
    yield from (Spelling(part, is_base64=True) for part in sorted(parts))


def _inside_base64(data: bytes) -> Iterator[str]:
    """Yield the letters that are made of these bytes alone, whatever stands before and after."""
    from base64 import b64encode  # only where something is secret

    for before, shared in enumerate((0, 2, 3)):
        text = b64encode(bytes(before) + data).decode()
        part = text[shared : (before + len(data)) * 8 // 6]
        if len(part) >= SHORTEST_SECRET:
            yield part


def _writers() -> list[Callable[[str], str]]:
    """Return what writes a text that goes into base64 afterwards."""
    import html  # as above
    import json
    from urllib.parse import quote, quote_plus

    def in_ascii(text: str) -> str:
        return json.dumps(text)[1:-1]

    def in_utf8(text: str) -> str:
        return json.dumps(text, ensure_ascii=False)[1:-1]

    def with_slashes(text: str) -> str:  # as PHP writes JSON
        return in_ascii(text).replace("/", "\\/")

    def for_pages(text: str) -> str:  # as Go and Rails write JSON
        return re.sub("[<>&]", lambda found: f"\\u{ord(found[0]):04x}", in_utf8(text))

    def in_python(text: str) -> str:
        return repr(text)[1:-1]

    def in_pages(text: str) -> str:
        return html.escape(text, quote=False)

    def in_urls(text: str) -> str:
        return quote(text, safe="", errors="replace")

    def in_paths(text: str) -> str:
        return quote(text, errors="replace")

    def in_forms(text: str) -> str:
        return quote_plus(text, errors="replace")

    json_of = (in_ascii, in_utf8, with_slashes, for_pages)
    return [str, *json_of, in_python, html.escape, in_pages, in_urls, in_paths, in_forms]


class _Token(NamedTuple):
    """What may stand for one character: backslashes, and then any of some patterns."""

    backslashes: str
    forms: Sequence[str]

    @property
    def is_plain(self) -> bool:
        """Tell whether it stands for itself alone."""
        return not self.backslashes

    @property
    def pattern(self) -> str:
        """A pattern of all."""
        forms = "|".join(self.forms)
        return self.backslashes + (f"(?:{forms})" if len(self.forms) > 1 else forms)

    def ends(self, text: str, place: int) -> Iterator[int]:
        """Yield where it may end in a text that has it at this place."""
        if not self.is_plain:
            yield from (made.end() for form in _compiled(self) if (made := form.match(text, place)))
        elif text.startswith(self.forms[0], place):
            yield place + len(self.forms[0])


@cache
def _compiled(token: _Token) -> Sequence[re.Pattern[str]]:
    """Return a pattern for each place where a token may end.

    Of an ampersand or a percent sign more may be read as one, or less: &amp;amp; holds two.
    """
    forms = [token.backslashes + form for form in token.forms]
    if token.forms[0] in (re.escape("&"), re.escape("%")):
        forms = [form.replace("{0,4}", f"{{0,{most}}}") for form in forms for most in range(5)]
    return [re.compile(form) for form in dict.fromkeys(forms)]


def _token(before: int, character: str, others: Mapping[str, str]) -> _Token:
    """Return what may stand for a character with so many backslashes before it."""
    backslashes = f"{_BACKSLASHES}{{{before},}}" if before else f"{_BACKSLASH}{{0,{_MOST}}}"
    if not character or (character.isascii() and character.isalnum()):
        return _Token(backslashes if before else "", (character,))
    other = [others[character]] if character in others else []
    return _Token(backslashes, (*_alternatives(character), *other))


@cache
def _alternatives(character: str) -> Sequence[str]:
    """Return patterns of what may stand for a character, behind any backslashes."""
    found = [*_names(character), *_numbers(character)]
    if not character.isascii():
        octets = character.encode(errors="replace")
        found.append(_ESCAPE.join(f"(?i:x{octet:02x})" for octet in octets))
        for misread in _misread(octets):
            each = ("|".join([*_names(part), *_numbers(part)]) for part in misread)
            found.append(f"{_BACKSLASH}{{0,{_MOST}}}".join(f"(?:{part})" for part in each))
    return found


def _names(character: str) -> Iterator[str]:
    yield re.escape(character)
    if character in _LETTERS:
        yield rf"(?<=[\\Cc]){_LETTERS[character]}"
    elif character == "&":
        yield _AMPERSAND
    elif character == " ":  # in a form
        yield rf"\+|{_PERCENT}2[Bb]"
    if character.isascii():
        name = _HTML_NAMES.get(character)
    else:
        from html.entities import codepoint2name  # a large table

        name = codepoint2name.get(ord(character))
    if name is not None:
        yield f"{_AMPERSAND}{name}{_END}"


def _numbers(character: str) -> Iterator[str]:
    number, utf_16 = ord(character), character.encode("utf-16-be", "surrogatepass").hex()
    yield _ESCAPE.join(f"(?i:u{utf_16[at : at + 4]})" for at in range(0, len(utf_16), 4))
    yield "".join(f"{_PERCENT}(?i:{octet:02x})" for octet in character.encode(errors="replace"))
    yield f"{_AMPERSAND}{_HASH}(?:0{{0,4}}{number}|(?i:x0{{0,4}}{number:x})){_END}"
    if number > 0xFFFF:
        yield f"(?i:U{number:08x})"
    if number < 0x100:
        yield f"(?i:x{number:02x})"


def _misread(octets: bytes) -> Iterator[str]:
    """Yield what is read where nobody says that it is UTF-8."""
    yield octets.decode("latin-1")
    with suppress(UnicodeDecodeError):
        yield octets.decode("cp1252")
