"""What to tell of a run that breaks a law: the story, the line, and what to change."""

from collections.abc import Iterable

from .run import IN_DOUBT, Effect, Line, Run

NOT_ALONE = (
    "If nothing of the kind can be had, assert_safe(..., allow_in_doubt=True) takes what a FAILED"
    " answer names as in doubt."
)


def told(run: Run) -> str:
    """Return all that is to be said of a run that breaks a law."""
    blames = run.too_many or run.doubt or _asked_otherwise(run)
    effect = _culprit(run) if blames else None
    parts = [f"not safe: {run.broken}", _story(run.lines)]
    if effect is not None and effect.place is not None:
        parts.append(effect.place.source)
    if advice := _advice(run, effect):
        parts.append(advice)
    return "\n\n".join(parts)


def differs(first: Run, second: Run) -> str:
    """Return what is to be said where a run without any fault went otherwise the second time."""
    effect = next(iter(first.effects or second.effects), None)
    where = f"\n\n{effect.place.source}" if effect and effect.place else ""
    return (
        "not safe: the same scenario, without any fault, goes otherwise when it runs again:"
        " something in the provider's modules is kept from one run to the next, or hooks follow"
        " chance or the clock\n\n"
        f"{_story(first.lines)}\n\nthe second time:\n\n{_story(second.lines)}{where}\n\n"
        "Lambda keeps a process for other events, and may start one for each. Keep nothing of what"
        " was made in a global, a class attribute or a cache: a step's result is in the ledger."
        " What is random or of this moment is kept by a step, too: the next run gets the same."
    )


def _story(lines: Iterable[Line]) -> str:
    told = list(lines)
    width = max((len(one.who) for one in told), default=0)
    return "\n".join(
        f"{one.seconds:6.0f} s  {one.who:{width}}  {one.text}"
        + (f"  ({one.place})" if one.place is not None else "")
        for one in told
    )


def _culprit(run: Run) -> Effect | None:
    """Return the effect that should not be: done outside of a step, left over, or the last one."""
    left = [one for one in run.effects if one.id in run.left]
    candidates = left or run.effects
    outside = [one for one in candidates if one.call is None]
    return next(iter([*outside, *reversed(candidates), *reversed(run.asked)]), None)


def _advice(run: Run, effect: Effect | None) -> str:
    reasons = " ".join([run.broken, *run.reasons])
    if effect is not None and effect.call is None:
        return (
            "This call is made outside of all steps: nobody records it, so every delivery makes it"
            " again. Use self.http in the place of requests and self.client in the place of"
            ' boto3.client, or wrap it: self.step("name", lambda step: ...).'
        )
    if other := _asked_otherwise(run):
        return (
            f"The same step asked for {other[0]}, and when it ran again for {other[1]}. A hook"
            " must ask for the same again: derive names from self.correlation_id or step.token,"
            " and take what changes (times, random names, what you read) from an earlier step."
        )
    if "other arguments" in reasons:
        return (
            "The same step asked for something else when it ran again. A hook must ask for the"
            " same: derive names from self.correlation_id or step.token."
        )
    if any(words in reasons for words in IN_DOUBT):
        return (
            "Nobody can tell whether the call acted before its answer was lost. Give it find=, a"
            " function that looks up by step.token what the step made; or, where the far side"
            " takes a token, say so: honours_idempotency_key on the class, window= on a step."
            f" {NOT_ALONE}"
        )
    if effect is None:
        return ""
    again = [one for one in run.effects if (one.request, one.call) == (effect.request, effect.call)]
    if len(again) > 1:
        looked_up = any(one.text == f"calls find {effect.call}" for one in run.lines)
        return f"{effect.call} was called again under the same token, and made another object. " + (
            "find= did not find the first one: look up what carries step.token."
            if looked_up
            else "The far side does not know the token (any more): pass step.token on to it"
            " and give the time for which it remembers it, or give find=, a function that"
            " looks up by step.token what the step made."
        )
    if effect.id in run.left and run.base is None:
        return "Nothing befalls this run: delete does not remove what create has made."
    if effect.id in run.left:
        return (
            f"{effect.call} made it, and delete was not told of it. Set self.physical_resource_id"
            " from the result before the next call: whatever fails after that, delete is asked to"
            " remove what bears that id. If it was set, delete removes something else."
        )
    return ""


def _asked_otherwise(run: Run) -> tuple[str, str] | None:
    """Return what one step asked for in two deliveries, if that is not the same."""
    known: dict[tuple[int, str | None], Effect] = {}
    for one in run.asked or run.effects:
        before = known.setdefault((one.request, one.call), one)
        if before.what != one.what and before.who != one.who:
            return before.what, one.what
    return None
