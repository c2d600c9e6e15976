"""The scenario's local names beside the ledger's own ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from ledger.encoding import Value
from scenarios.agents.desk import Kind
from scenarios.filed import FiledMap


@dataclass(slots=True)
class Names:
    """Which local name stands for which id, per kind.

    A certificate's ledger id is its hex digits, a claim's `<entry>/<line>`.
    """

    _to_ledger: FiledMap[tuple[Kind, str], str] = field(default_factory=FiledMap)
    _to_local: FiledMap[tuple[Kind, str], str] = field(default_factory=FiledMap)

    def bind(self, kind: Kind, local_name: str, ledger_id: str) -> None:
        """Note that `local_name` has this id on the ledger."""
        self._to_ledger.put((kind, local_name), ledger_id)
        if (kind, ledger_id) not in self._to_local:
            self._to_local.put((kind, ledger_id), local_name)

    def local(self, kind: Kind, ledger_id: str) -> str | None:
        """Return the local name of an id, or None."""
        if kind in _OF_A_CARNET:
            carnet, _, serial = ledger_id.partition("/")
            name = self.local("carnet", carnet)
            return None if name is None else f"{name}/{serial}"
        return self._to_local.get(("carnet" if kind == "carnet_successor" else kind, ledger_id))

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


def _verification(body: Mapping[str, Value]) -> str | None:
    verification = body.get("verification")
    return verification if isinstance(verification, str) else None


def _form370(body: Mapping[str, Value]) -> str | None:
    form = body.get("form370")
    return form if isinstance(form, str) else None


def _carnet(body: Mapping[str, Value]) -> str | None:
    carnet = body.get("carnet")
    return carnet if isinstance(carnet, str) else None


def _carnet_successor(body: Mapping[str, Value]) -> str | None:
    successor = body.get("successor")
    return successor if isinstance(successor, str) and _carnet(body) is not None else None


def _of_carnet(name: str) -> Callable[[Mapping[str, Value]], str | None]:
    def id_of(body: Mapping[str, Value]) -> str | None:
        carnet, serial = _carnet(body), body.get(name)
        return f"{carnet}/{serial}" if carnet is not None and isinstance(serial, int) else None

    return id_of


_OF_A_CARNET = ("voucher", "carnet_claim")
_IDS: tuple[tuple[Kind, Callable[[Mapping[str, Value]], str | None]], ...] = (
    ("certificate", _certificate),
    ("claim", _claim),
    ("verification", _verification),
    ("carnet", _carnet),
    ("carnet_successor", _carnet_successor),
    ("voucher", _of_carnet("serial")),
    ("carnet_claim", _of_carnet("voucher")),
    ("form370", _form370),
)
"""Per kind, the ledger id that a body names, if it names one."""
