"""An agent's conduct where it errs: whether it gives in to a fraud it has the occasion for, and how it spoils a form.

Rules:
- Only a rate between none and all draws from the agent's stream of chance.
- Every fraud and every mistake is told to the observer as it is done; no organization's program reads that.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from ledger.encoding import Value
from scenarios.agents.carelessness import falsify, spoil, spoilt_fields
from scenarios.agents.desk import Desk
from scenarios.agents.office import Office
from scenarios.agents.script import Behavior
from scenarios.model.behaviors import MISCONDUCT, Dishonesty
from scenarios.model.misdeeds import WRITTEN, rates_for

CARELESS = "careless"
"""How the observer is told of a mistake, where it is told the kind of a fraud."""
WRONG_DATA = "wrong-data"
MISTYPED = "mistyped"
"""How it is told of what a fault of trade has an organization write, and of what is mistyped from paper."""


class Conduct:
    """What an agent's behavior says of its frauds and mistakes, acted upon.

    Args:
        organization: whose deeds they are.
        behavior: kinds and fields, each with a rate.
        random: the agent's stream of chance.
        desk: the trial, which is told.
        office: that a fault of trade may have write what was not agreed.
    """

    def __init__(
        self, organization: str, behavior: Behavior, random: Random, desk: Desk, office: Office
    ) -> None:
        self._organization = organization
        self._behavior = behavior
        self._random = random
        self._desk = desk
        self._office = office

    def commits(self, kind: Dishonesty, subject: str) -> tuple[str, ...] | None:
        """Say whether the agent gives in to a fraud, and tell the observer if so.

        Args:
            kind: of fraud.
            subject: what it is about, such as `claim e1`.

        Returns:
            The fields of a paper that it falsifies (all that the kind can, if the scenario names none; empty for a
            kind without), or None if it stays honest.
        """
        how = self._behavior.dishonest.get(kind)
        if how is None or not (how.rate >= 1 or (how.rate > 0 and self._random.random() < how.rate)):
            return None
        fields = how.fields or MISCONDUCT[kind].fields
        self._own_up(kind.value, subject, fields)
        return fields

    def filled_in(self, form: str, fields: Mapping[str, Value], subject: str) -> dict[str, Value]:
        """Return a form as the agent's hand fills it in, and tell the observer of every field it spoils.

        Args:
            form: such as `voucher`, by its name in `misdeeds.WRITTEN`.
            fields: as they should be.
            subject: what the form is about.
        """
        false = falsify(fields, self._office.falsified(form, WRITTEN[form][1]))
        written = spoil(false, rates_for(form, self._behavior.careless), self._random)
        for kind, meant, told in ((WRONG_DATA, fields, false), (CARELESS, false, written)):
            other = spoilt_fields(meant, told)
            if other:
                self._own_up(kind, subject, tuple(f"{form}/{name}" for name in other))
        if self._office.on_paper is None:
            return written
        entered = self._office.on_paper.enter_form(form, subject, written)
        if other := spoilt_fields(written, entered):
            self._own_up(MISTYPED, subject, tuple(f"{form}/{name}" for name in other))
        return entered

    def _own_up(self, kind: str, subject: str, fields: tuple[str, ...]) -> None:
        self._desk.record(
            "noncompliance.done",
            private=True,
            organization=self._organization,
            kind=kind,
            subject=subject,
            fields=list(fields),
            time_ms=self._desk.now_ms(),
        )
