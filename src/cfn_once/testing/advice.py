"""What to tell of a run that breaks a law: the story, the line, and what to change."""

from .._steps.waits import TOO_LONG
from .run import IN_DOUBT, Run, SideEffect, StoryLine


def report_of(run: Run) -> str:
    """Return all that is to be said of a run that breaks a law."""
    blames = run.too_many or run.doubt or _asked_otherwise(run)
    removal = _removal(run)
    effect = removal or (_culprit(run) if blames else None)
    timeout = run.terms.service_timeout
    under = f" with a ServiceTimeout of {timeout} s" if timeout else ""
    parts = [f"not safe{under}: {run.broken}", _story(run.seen.lines)]
    if effect is not None and effect.place is not None:
        parts.append(effect.place.source)
    if advice := _on_removal(removal) if removal else _advice(run, effect):
        parts.append(advice)
    return "\n\n".join(parts)


def safe_with(timeout: int) -> str:
    """Return what to change where a scenario is safe with a ServiceTimeout, and not without."""
    return (
        f"With ServiceTimeout: {timeout} it is safe: CloudFormation waits for an hour where the"
        " template has none, and what your hooks rely on does not last that long. Put it among the"
        f" properties of each resource in your templates, and of this scenario:"
        f' {{"ServiceTimeout": "{timeout}"}}.'
    )


def differs(first: Run, second: Run) -> str:
    """Return what is to be said where a run without any fault went otherwise the second time."""
    effect = next(iter(first.seen.effects or second.seen.effects), None)
    where = f"\n\n{effect.place.source}" if effect and effect.place else ""
    return (
        "not safe: the same scenario, without any fault, goes otherwise when it runs again:"
        " something in the provider's modules is kept from one run to the next, or hooks follow"
        " chance or the clock\n\n"
        f"{_story(first.seen.lines)}\n\nthe second time:\n\n{_story(second.seen.lines)}{where}\n\n"
        "Lambda keeps a process for other events, and may start one for each. Keep nothing of what"
        " was made in a global, a class attribute or a cache: a step's result is in the ledger."
        " What is random or of this moment is kept by a step, too: the next run gets the same."
    )


def _story(lines: list[StoryLine]) -> str:
    width = max((len(line.who) for line in lines), default=0)
    return "\n".join(
        f"{line.seconds:6.0f} s  {line.who:{width}}  {line.text}"
        + (f"  ({line.place})" if line.place is not None else "")
        for line in lines
    )


def _culprit(run: Run) -> SideEffect | None:
    """Return the effect that should not be: done outside of a step, left over, or the last one."""
    left = [effect for effect in run.seen.effects if effect.id in run.left]
    candidates = left or run.seen.effects
    outside = [effect for effect in candidates if effect.call is None]
    return next(iter([*outside, *reversed(candidates), *reversed(run.seen.asked)]), None)


def _removal(run: Run) -> SideEffect | None:
    """Return how that was removed which was there before, and may not be."""
    wrongly = sorted(run.gone - run.terms.may_remove)
    return next((run.seen.removed[name] for name in wrongly if name in run.seen.removed), None)


def _on_removal(removal: SideEffect) -> str:
    return (
        f"{removal.call or 'A call outside of all steps'} removes {removal.id}, which nobody made"
        " in this scenario: it is somebody else's. Remove what your own create made, by the id that"
        " a step returned or by step.token, and nothing because of its name. If your hooks are"
        f' there to remove it: assert_safe(..., may_remove=["{removal.id}"]).'
    )


def _advice(run: Run, effect: SideEffect | None) -> str:
    if effect is not None and effect.call is None:
        return (
            "This call is made outside of all steps: nobody records it, so every delivery makes it"
            " again. Use self.http in the place of requests and self.client in the place of"
            ' boto3.client, or wrap it: self.step("name", lambda step: ...).'
        )
    of_effect = "" if effect is None else _on(effect, run)
    return _on_arguments(run) or _on_time(run) or _on_doubt(run) or of_effect


def _on_time(run: Run) -> str:
    """Return what to change where CloudFormation does not wait for long enough."""
    if TOO_LONG not in _reasons(run):
        return ""
    timeout = run.terms.service_timeout
    if not timeout:
        return (
            "CloudFormation waits for the resource's ServiceTimeout, and never for more than an"
            " hour. Let the hook wait for less, or answer and let another resource wait."
        )
    return (
        f"This run has ServiceTimeout: {timeout} among the properties, which is what the run"
        " without a fault takes and ten minutes for Lambda's tries. Set a longer one in your"
        " templates, 3600 at most, and put it among the properties of this scenario."
    )


def _on_arguments(run: Run) -> str:
    """Return what to change where a step asks for something else when it runs again."""
    if other := _asked_otherwise(run):
        return (
            f"The same step asked for {other[0]}, and when it ran again for {other[1]}. A hook"
            " must ask for the same again: derive names from self.correlation_id or step.token,"
            " and take what changes (times, random names, what you read) from an earlier step."
        )
    if "other arguments" in _reasons(run):
        return (
            "The same step asked for something else when it ran again. A hook must ask for the"
            " same: derive names from self.correlation_id or step.token."
        )
    return ""


def _on_doubt(run: Run) -> str:
    """Return what to change where a call is in doubt."""
    if not any(words in _reasons(run) for words in IN_DOUBT):
        return ""
    return (
        "cfn-once cannot tell whether the call took effect before its response was lost. Give it"
        " find=, a function that looks up by step.token what the step made. If the external API"
        " takes a token, say so: honours_idempotency_key on the class, window= on a step. If"
        " neither is possible, assert_safe(..., allow_in_doubt=True) accepts what a FAILED"
        " response names as in doubt."
    )


def _on(effect: SideEffect, run: Run) -> str:
    """Return what to change where an effect is one too many, or is left over."""
    same = [
        other
        for other in run.seen.effects
        if (other.request, other.call) == (effect.request, effect.call)
    ]
    if len(same) > 1:
        looked_up = any(line.text == f"calls find {effect.call}" for line in run.seen.lines)
        return f"{effect.call} was called again under the same token, and made another object. " + (
            "find= did not find the first one: look up what carries step.token."
            if looked_up
            else "The external API does not know the token (any more): pass step.token on to it"
            " and give the time for which it remembers it, or give find=, a function that"
            " looks up by step.token what the step made."
        )
    if effect.id not in run.left:
        return ""
    if run.base is None:
        return "No fault happens in this run: delete does not remove what create has made."
    return (
        f"{effect.call} made it, and delete does not know of it. Set self.physical_resource_id"
        " from the result before the next call. If something fails after that, delete gets the id"
        " of what it must remove. If it was set, delete removes something else."
    )


def _reasons(run: Run) -> str:
    return " ".join([run.broken, *(then.reason for then in run.checkpoints)])


def _asked_otherwise(run: Run) -> tuple[str, str] | None:
    """Return what one step asked for in two deliveries, if that is not the same."""
    known: dict[tuple[int, str | None], SideEffect] = {}
    for effect in run.seen.asked or run.seen.effects:
        before = known.setdefault((effect.request, effect.call), effect)
        if before.what != effect.what and before.who != effect.who:
            return before.what, effect.what
    return None
