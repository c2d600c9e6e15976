"""What excuses that an expectation failed: faults of trade of kinds that its sentence names after `unless`.

Rules:
- Only faults of trade excuse, since they alone change what the parties do; what goes wrong with nodes and links is no
  excuse for anything.
- A fault excuses only if it struck: somebody waited, or a paper was late, lost, falsified or written by hand for it.
- Only what failed is excused, and told as excused: never counted as held. What is undecided stays so.
"""

from __future__ import annotations

from scenarios.errors import RefusedError, UnknownNameError
from scenarios.model.sentences import Expectation, Judgement, Outcome, TrialHistory
from scenarios.model.tradefaults import TRADE_KINDS

UNLESS = " unless "


def parse_unless(words: str) -> tuple[str, ...]:
    """Return the kinds of faults of `lost_document, wrong_data`, what follows `unless` in a sentence.

    Raises:
        RefusedError: if one is no fault of trade, or stands there twice.
    """
    kinds = tuple(word.strip() for word in words.split(","))
    for kind in kinds:
        if kind not in TRADE_KINDS:
            raise UnknownNameError("fault of trade", kind, TRADE_KINDS)
    if len(set(kinds)) < len(kinds):
        raise RefusedError(f"unless {words} names a kind twice", "each once", "remove one")
    return kinds


def judge_sentence(expectation: Expectation, history: TrialHistory) -> Outcome:
    """Judge an expectation, and excuse it if it failed and a fault that it names struck."""
    outcome = expectation.evaluate(history)
    struck = [kind for kind in expectation.unless if history.has_struck(kind)]
    if outcome.judgement is not Judgement.FAILED or not struck:
        return outcome
    return Outcome(Judgement.EXCUSED, f"{outcome.text}; {', '.join(struck)} struck")
