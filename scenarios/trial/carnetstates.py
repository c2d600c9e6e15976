"""Which states certified receipts give to carnets and vouchers.

Rules:
- A state follows from the contracts' own tables and the act of a VALID receipt.
- A carnet that replaces another begins in the state in which the other ended.
- EXPIRED is a matter of the day, not of an act: it counts from the business hours of the day after the last one, if the
  carnet is issued or active by then.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from ledger.contracts.carnet import CARNET_TABLE, VOUCHER_TABLE, CarnetStatus
from ledger.contracts.carnet.dates import EXPIRING
from scenarios.agents.authority import business_ms
from scenarios.model.sentences import States
from scenarios.record.eventbook import Event

_CARNETS = {step.event: step.target.value for step in CARNET_TABLE.steps if step.target != step.state}
_VOUCHERS = {step.event: step.target.value for step in VOUCHER_TABLE.steps if step.target != step.state}
_DAY = datetime.timedelta(days=1)


@dataclass(slots=True)
class CarnetStates:
    """Follows the receipts of acts about carnets."""

    _expired_ms: dict[str, int] = field(default_factory=dict)

    def take(self, event: Event, states: Callable[[str, str], States]) -> Iterator[tuple[str, str, str]]:
        """Give (kind, name, state) of every subject that a VALID receipt puts into a state.

        Args:
            event: the receipt.
            states: of a subject so far, by kind and name.
        """
        act, carnet, voucher = (event.fields.get(name) for name in ("type", "carnet", "voucher"))
        if isinstance(act, str) and isinstance(carnet, str) and act in _CARNETS:
            body = json.loads(event.text("body"))
            if act == "carnet.issue":
                self._expired_ms[carnet] = business_ms(
                    datetime.date.fromisoformat(body["valid_until"]) + _DAY
                )
            successor = event.fields.get("carnet_successor")
            if isinstance(successor, str) and carnet in self._expired_ms:
                self._expired_ms[successor] = self._expired_ms[carnet]
                yield "carnet", successor, states("carnet", carnet)[-1][1]
            yield "carnet", carnet, _CARNETS[act]
        if isinstance(act, str) and isinstance(voucher, str) and act in _VOUCHERS:
            yield "voucher", voucher, _VOUCHERS[act]

    def with_expiry(self, name: str, states: Sequence[tuple[int, str]], reached_ms: int) -> States:
        """Return a carnet's states with EXPIRED among them, if it ran out by the time that was reached."""
        expired_ms = self._expired_ms.get(name)
        if expired_ms is None or reached_ms < expired_ms:
            return states
        before = [state for state in states if state[0] < expired_ms]
        if not before or before[-1][1] not in EXPIRING:
            return states
        return [*before, (expired_ms, CarnetStatus.EXPIRED.value), *states[len(before) :]]
