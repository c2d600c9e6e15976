"""What an organization writes on paper while it cannot use the ledger: slips with their true dates, and forms.

Rules:
- A slip is one piece of business: all acts of one job until it waits for somebody else or another day.
- Slips are entered in the order in which they were written, each so many minutes after the one before, from the moment
  on at which the organization is back.
- Whether a slip is entered twice, and what of a form is mistyped, is drawn from the fault's own stream of chance when
  it is written: who works on paper draws nothing more from its own.
- What stands on paper is kept beside what was entered; values stay in here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from ledger.encoding import Value
from scenarios.agents.carelessness import spoil
from scenarios.model.misdeeds import WRITTEN
from scenarios.model.tradefaults import FallbackParams

MINUTE_MS = 60_000


@dataclass(slots=True)
class PaperAct:
    """One act of a slip, and how it was entered.

    Attributes:
        type: of the transaction.
        body: as it stands on paper.
        documents: the roots it anchors.
        id: of the transaction that entered it, hex; None while none has.
    """

    type: str
    body: Mapping[str, Value]
    documents: tuple[bytes, ...] = ()
    id: str | None = None


@dataclass(eq=False, slots=True)
class Slip:
    """One piece of business on paper.

    Attributes:
        number: the organization's own, from 1.
        job: what it is, in the words of the program.
        written_ms: its true date.
        is_doubled: whether whoever enters it does so twice.
        acts: in their order.
        is_finished: whether its job has come to its end, or to a wait for something else.
    """

    number: int
    job: str
    written_ms: int
    is_doubled: bool
    acts: list[PaperAct] = field(default_factory=list)
    is_finished: bool = False


@dataclass(frozen=True, slots=True)
class FormOnPaper:
    """A form as it stands on paper, and as it was entered.

    Attributes:
        form: by its name in `misdeeds.WRITTEN`.
        subject: what it is about.
        on_paper, entered: its fields; private.
    """

    form: str
    subject: str
    on_paper: Mapping[str, Value]
    entered: Mapping[str, Value]

    def __repr__(self) -> str:
        return f"FormOnPaper({self.form} of {self.subject})"


@dataclass(eq=False, slots=True)
class Paperbook:
    """What is written on paper in one window.

    Attributes:
        number: of the window, the organization's own, from 1.
        plan: how it is entered.
        chance: the fault's own stream.
        changed: called whenever a slip is written, entered or finished.
        first: the number of the first slip.
        slips, forms: in their order.
        closed_ms: when the window ended; None while it is open.
        doubling: second entries under way.
    """

    number: int
    plan: FallbackParams
    chance: Random
    changed: Callable[[], None]
    first: int
    slips: list[Slip] = field(default_factory=list)
    forms: list[FormOnPaper] = field(default_factory=list)
    closed_ms: int | None = None
    doubling: int = 0

    @property
    def is_open(self) -> bool:
        """Whether the window lasts."""
        return self.closed_ms is None

    @property
    def is_entered(self) -> bool:
        """Whether everything on it has been entered or refused."""
        return not self.is_open and not self.doubling and all(slip.is_finished for slip in self.slips)

    def write(self, job: str, now_ms: int) -> Slip:
        """Write a slip with today's date."""
        is_doubled = self.chance.random() * 100 < self.plan.twice_percent
        slip = Slip(self.first + len(self.slips), job, now_ms, is_doubled)
        self.slips.append(slip)
        self.changed()
        return slip

    def due_ms(self, slip: Slip) -> int:
        """Return when a slip's turn to be entered comes, once the window has ended.

        Raises:
            ValueError: if it lasts.
        """
        if self.closed_ms is None:
            raise ValueError(f"slip {slip.number} is not due: the window lasts")
        return self.closed_ms + (self.slips.index(slip) + 1) * self.plan.entry_minutes * MINUTE_MS

    def enter_form(self, form: str, subject: str, on_paper: Mapping[str, Value]) -> dict[str, Value]:
        """Keep a form as it stands on paper, and return it as whoever enters it will type it."""
        rates = dict.fromkeys(WRITTEN[form][1], self.plan.mistyped_percent / 100)
        entered = spoil(on_paper, rates if self.plan.mistyped_percent else {}, self.chance)
        self.forms.append(FormOnPaper(form, subject, dict(on_paper), entered))
        return entered
