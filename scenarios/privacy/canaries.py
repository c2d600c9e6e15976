"""Which private values a run is searched for.

Rules:
- Free text of at least `CANARY_CHARACTERS_MIN` characters, and every field's 16-byte salt. A coded field (a state, a
  tariff number) is guarded by its salt: its value alone says nothing about whose it is.
- What is a public word anyway, such as an organization's name in genesis, is no canary: finding it proves nothing.
  The library's scenarios keep every free-text field distinct from public words, and a test holds them to it.
"""

from __future__ import annotations

from collections.abc import Iterator

from scenarios.agents.papers import PaperKind
from scenarios.agents.witness import Witness
from scenarios.model import Scenario
from scenarios.model.subjects import ClaimState
from scenarios.privacy.leaks import CANARY_CHARACTERS_MIN, Canary
from scenarios.privacy.saltwindows import is_salt


def canaries(witness: Witness, public: frozenset[str]) -> Iterator[Canary]:
    """Give every private value that a trial's witness knows and that is worth a search."""
    for secret in witness.secrets():
        value = secret.value.reveal()
        if is_salt(value) or _is_worth_it(value, public):
            yield Canary(secret.where, value)


def public_words(scenario: Scenario) -> frozenset[str]:
    """Return the words that stand in public whatever the trade: names in genesis, states, kinds of paper, ids."""
    words = [organization.name for organization in scenario.organizations.values()]
    words += scenario.organizations
    words += [state.value for state in ClaimState]
    words += [kind.value for kind in PaperKind]
    words += [claim.entry for claim in scenario.claims.values()]
    return frozenset(words)


def _is_worth_it(value: bytes, public: frozenset[str]) -> bool:
    """Whether a text is long enough for finding it to prove something, and no public word."""
    return len(value.decode(errors="replace")) >= CANARY_CHARACTERS_MIN and not _is_public(value, public)


def _is_public(value: bytes, public: frozenset[str]) -> bool:
    try:
        return value.decode() in public
    except UnicodeDecodeError:
        return False
