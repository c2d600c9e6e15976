"""The key-value view that contracts read and write.

Rules:
- Keys are text, values canonical bytes of maps; the key functions below are the only spellings.
- One transaction writes into an `Overlay`; only when it is VALID do its changes move down, so a refused
  transaction changes nothing.
- Changes come out in the order of their keys, never in the order in which they were made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from ledger.encoding import Encodable, Value, decode, encode
from ledger.errors import MalformedError
from ledger.fields import describe

VALUE_BYTES_MAX = 1 << 20

MEMBERSHIP_KEY = "membership"
"""The key of the record that sums up who belongs to the network."""


class Reader(Protocol):
    """Anything with values under keys."""

    def get(self, key: str) -> bytes | None:
        """Return the value under a key, or None."""


class State:
    """The world state in memory.

    Args:
        items: keys and values to begin with.
    """

    __slots__ = ("_values",)

    def __init__(self, items: Mapping[str, bytes] | Iterable[tuple[str, bytes]] = ()) -> None:
        self._values: dict[str, bytes] = dict(items)

    def get(self, key: str) -> bytes | None:
        """Return the value under a key, or None."""
        return self._values.get(key)

    def get_map(self, key: str) -> dict[str, Value] | None:
        """Return the map under a key, or None."""
        return read_map(self, key)

    def apply(self, changes: Mapping[str, bytes | None]) -> None:
        """Write values; None deletes."""
        for key, value in changes.items():
            if value is None:
                self._values.pop(key, None)
            else:
                self._values[key] = value

    def items(self) -> Iterator[tuple[str, bytes]]:
        """Yield all keys and values in the order of the keys."""
        for key in sorted(self._values):
            yield key, self._values[key]

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: str) -> bool:
        return key in self._values


class Overlay:
    """Changes on top of a state or of another overlay, which stays as it is.

    Args:
        base: what is seen where nothing was changed.
    """

    __slots__ = ("_base", "_changes")

    def __init__(self, base: Reader) -> None:
        self._base = base
        self._changes: dict[str, bytes | None] = {}

    def get(self, key: str) -> bytes | None:
        """Return the value under a key as changed, or None."""
        if key in self._changes:
            return self._changes[key]
        return self._base.get(key)

    def get_map(self, key: str) -> dict[str, Value] | None:
        """Return the map under a key as changed, or None."""
        return read_map(self, key)

    def put(self, key: str, value: bytes) -> None:
        """Write a value."""
        self._changes[key] = value

    def put_map(self, key: str, value: Mapping[str, Encodable]) -> None:
        """Write a map.

        Raises:
            EncodingError: if it has no canonical form.
        """
        self._changes[key] = encode(value)

    def delete(self, key: str) -> None:
        """Remove a key, present or not."""
        self._changes[key] = None

    def apply(self, changes: Mapping[str, bytes | None]) -> None:
        """Write values; None deletes. With another overlay's `changes`, this takes it over."""
        self._changes.update(changes)

    @property
    def changes(self) -> dict[str, bytes | None]:
        """What differs from the base, in the order of the keys; None is a deletion."""
        return {
            key: self._changes[key]
            for key in sorted(self._changes)
            if self._changes[key] != self._base.get(key)
        }


def read_map(reader: Reader, key: str) -> dict[str, Value] | None:
    """Return the map under a key, or None.

    Raises:
        EncodingError: if the value is not canonical.
        MalformedError: if it is no map.
    """
    data = reader.get(key)
    if data is None:
        return None
    value = decode(data, limit_bytes=VALUE_BYTES_MAX)
    if type(value) is not dict:
        raise MalformedError(f"state {key}: expected a map, got {describe(value)}; the state is damaged")
    return value


def organization_key(organization: str) -> str:
    """Return the key of a member's record."""
    return f"organization/{organization}"


def nonce_key(organization: str, nonce: tuple[int, int]) -> str:
    """Return the key of a used nonce."""
    return f"nonce/{organization}/{nonce[0]}/{nonce[1]}"


def document_key(root: bytes) -> str:
    """Return the key of an anchored document, by its root."""
    return f"document/{root.hex()}"


def reading_key(root: bytes, reader: str) -> str:
    """Return the key of one member's word on its envelope of a document."""
    return f"reading/{root.hex()}/{reader}"


def certificate_key(certificate: bytes) -> str:
    """Return the key of a certificate of origin, by its random id."""
    return f"certificate/{certificate.hex()}"


def holding_key(certificate: bytes, importer: str) -> str:
    """Return the key of an importer's possession of a certificate."""
    return f"holding/{certificate.hex()}/{importer}"


def claim_key(entry: str, line: int) -> str:
    """Return the key of a claim: one line of an entry."""
    return f"claim/{entry}/{line}"


def power_key(importer: str, broker: str) -> str:
    """Return the key of an importer's power of attorney for a customs broker."""
    return f"power/{importer}/{broker}"


def verification_key(verification: bytes) -> str:
    """Return the key of a verification."""
    return f"verification/{verification.hex()}"


def form370_key(form: bytes) -> str:
    """Return the key of a fisheries certificate of origin, by its random id."""
    return f"form370/{form.hex()}"


def shipment_key(exporter: str, shipment: str) -> str:
    """Return the key of the form that was filed first for an exporter's shipment."""
    return f"form370-shipment/{exporter}/{shipment}"


def permit_key(importer: str) -> str:
    """Return the key of an importer's international fisheries trade permit."""
    return f"permit/{importer}"


def carnet_key(carnet: bytes) -> str:
    """Return the key of an ATA carnet, by its random id."""
    return f"carnet/{carnet.hex()}"


def carnet_goods_key(origin: bytes) -> str:
    """Return the key of where a carnet's goods are, by the id of the first carnet of its line."""
    return f"carnet-goods/{origin.hex()}"


def carnet_voucher_key(origin: bytes, serial: int) -> str:
    """Return the key of a voucher, by the first carnet of its line and its serial."""
    return f"carnet-voucher/{origin.hex()}/{serial}"


def carnet_claim_key(origin: bytes, serial: int) -> str:
    """Return the key of customs' claim on what came in under a voucher."""
    return f"carnet-claim/{origin.hex()}/{serial}"
