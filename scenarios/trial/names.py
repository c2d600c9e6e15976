"""The scenario's local names beside the ledger's own ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ledger.encoding import Value
from scenarios.agents.desk import Kind


@dataclass(slots=True)
class Names:
    """Which local name stands for which id, per kind.

    A certificate's ledger id is its hex digits, a claim's `<entry>/<line>`.
    """

    _to_ledger: dict[tuple[Kind, str], str] = field(default_factory=dict)
    _to_local: dict[tuple[Kind, str], str] = field(default_factory=dict)

    def bind(self, kind: Kind, local_name: str, ledger_id: str) -> None:
        """Note that `local_name` has this id on the ledger."""
        self._to_ledger[kind, local_name] = ledger_id
        self._to_local.setdefault((kind, ledger_id), local_name)

    def local(self, kind: Kind, ledger_id: str) -> str | None:
        """Return the local name of an id, or None."""
        return self._to_local.get((kind, ledger_id))

    def ledger(self, kind: Kind, local_name: str) -> str | None:
        """Return the id of a local name, or None if it is not on the ledger yet."""
        return self._to_ledger.get((kind, local_name))

    def subject(self, body: Mapping[str, Value]) -> dict[str, str]:
        """Return what an act's body is about, by local names where there are any."""
        subject: dict[str, str] = {}
        for kind, id_of in _IDS:
            ledger_id = id_of(body)
            if ledger_id is not None:
                subject[kind] = self.local(kind, ledger_id) or ledger_id
        return subject


def _certificate(body: Mapping[str, Value]) -> str | None:
    certificate = body.get("certificate")
    return certificate if isinstance(certificate, str) else None


def _claim(body: Mapping[str, Value]) -> str | None:
    entry, line = body.get("entry"), body.get("line")
    return f"{entry}/{line}" if isinstance(entry, str) and isinstance(line, int) else None


_IDS: tuple[tuple[Kind, Callable[[Mapping[str, Value]], str | None]], ...] = (
    ("certificate", _certificate),
    ("claim", _claim),
)
"""Per kind, the ledger id that a body names, if it names one."""
