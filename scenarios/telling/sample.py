"""Which shipments of a generated trade are told where there is no room for all."""

from __future__ import annotations

from dataclasses import dataclass, field

from scenarios.record.eventbook import Event
from scenarios.workload.truth import SHIPMENT_BEGAN

_SUBJECTS = (
    "claim",
    "verification",
    "carnet",
    "voucher",
    "carnet_claim",
    "form370",
    "invoice",
    "certificate",
)
SOUND, UNSOUND = 1, 2


@dataclass(slots=True)
class Sample:
    """The first sound shipment of each use case, and the first two in which a rule is broken on purpose.

    Attributes:
        told: the shipments that are told.
        count: how many there are.
        left_out: how many events were asked for and are of others.
    """

    told: dict[str, None] = field(default_factory=dict)
    count: int = 0
    left_out: int = 0
    _seen: dict[tuple[str, bool], int] = field(default_factory=dict)

    def __call__(self, event: Event) -> None:
        """Take note of a shipment that begins."""
        if event.name != SHIPMENT_BEGAN:
            return
        self.count += 1
        kind = (event.text("use_case"), event.fields["noncompliance"] is None)
        self._seen[kind] = self._seen.get(kind, 0) + 1
        if self._seen[kind] <= (SOUND if kind[1] else UNSOUND):
            self.told[event.text("shipment")] = None

    def shows(self, event: Event) -> bool:
        """Say whether an event is to be told: it is about no shipment, or about one of the sample."""
        for subject in _SUBJECTS:
            name = event.fields.get(subject)
            if isinstance(name, str):
                shipment = name.partition("/")[0]
                if subject == "certificate" and shipment.startswith("c"):
                    shipment = f"s{shipment[1:]}"  # a certificate of its own has its shipment's number
                shown = shipment in self.told
                self.left_out += not shown
                return shown
        return True
