"""The scenario's local names beside the ledger's own ids."""

from __future__ import annotations

from collections.abc import Mapping
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
        certificate = body.get("certificate")
        if isinstance(certificate, str):
            subject["certificate"] = self.local("certificate", certificate) or certificate
        entry, line = body.get("entry"), body.get("line")
        if isinstance(entry, str) and isinstance(line, int):
            claim = f"{entry}/{line}"
            subject["claim"] = self.local("claim", claim) or claim
        return subject
