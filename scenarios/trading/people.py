"""Invented particulars of organizations and papers: each is found nowhere else, so that a leak of one is seen.

Rules:
- Whatever is private on a paper bears words that no other paper and no public record has.
"""

from __future__ import annotations

from dataclasses import dataclass

_STREETS = ("Calle del Faro", "Wharf Road", "Avenida Cordillera", "Harbor Row", "Camino Real", "Mill Lane")
_FAMILIES = (
    "Arriaga",
    "Belmonte",
    "Castrejon",
    "Dunleavy",
    "Echeverria",
    "Fairweather",
    "Galindo",
    "Hathaway",
)


@dataclass(frozen=True, slots=True)
class Particulars:
    """What papers say of an organization.

    Attributes:
        name, address, email, phone, tax_id, person: as on the form.
    """

    name: str
    address: str
    email: str
    phone: str
    tax_id: str
    person: str


def particulars(organization: str, paper: str) -> Particulars:
    """Return what a paper says of an organization: its own words on each paper."""
    mark = _mark(f"{organization}/{paper}")
    street, family = _STREETS[mark % len(_STREETS)], _FAMILIES[mark // 7 % len(_FAMILIES)]
    return Particulars(
        name=f"{organization} trading house, desk {paper}-{mark % 9973}",
        address=f"{street} {mark % 8999 + 1000}, unit {paper}-{organization}",
        email=f"desk.{paper}.{mark % 99991}@{organization}.example",
        phone=f"+1 555 {mark % 900 + 100} {mark // 11 % 9000 + 1000}",
        tax_id=f"TX{mark % 10**9:09d}{organization[:2].upper()}",
        person=f"{family} of {organization}, {paper}-{mark % 7919}",
    )


def _mark(text: str) -> int:
    """Return a number that a text always has."""
    value = 7
    for character in text:
        value = (value * 131 + ord(character)) % (1 << 40)
    return value
