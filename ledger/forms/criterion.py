"""What a preference criterion can be true of, by the chapter of the tariff.

Rules:
- Only what is out of the question is listed: a criterion that these tables allow may still be wrong, and then the
  books alone can tell.
- Wholly obtained are minerals, crops, animals, fish, waste, and what is made of these alone (19 USC 3332). That no
  machine, vehicle or instrument (chapters 84 to 92) is, is a limit of ours (design).
- NAFTA's criteria E and F are for automatic data processing goods (within chapters 84 and 85) and agricultural goods
  (chapters 1 to 24); both wordings are unconfirmed.
"""

from __future__ import annotations

from collections.abc import Mapping

WHOLLY_OBTAINED: Mapping[str, str] = {"NAFTA-434": "A", "CAFTA-DR": "WO", "USMCA": "A"}
"""How each form calls goods that are wholly obtained."""

_MANUFACTURED = range(84, 93)
_AUTOMATIC_DATA_PROCESSING = (84, 85)
_AGRICULTURAL = range(1, 25)


def is_possible(form: str, criterion: str, hs6: str) -> bool:
    """Say whether goods of a subheading may meet a criterion at all.

    Args:
        form: code of the certificate.
        criterion: as stated in it.
        hs6: subheading, with or without a point.
    """
    digits = hs6.replace(".", "")[:2]
    if len(digits) != 2 or not digits.isdecimal():
        return True  # a subheading that is none is another fault
    chapter = int(digits)
    if criterion == WHOLLY_OBTAINED.get(form):
        return chapter not in _MANUFACTURED
    if form == "NAFTA-434" and criterion == "E":
        return chapter in _AUTOMATIC_DATA_PROCESSING
    if form == "NAFTA-434" and criterion == "F":
        return chapter in _AGRICULTURAL
    return True
