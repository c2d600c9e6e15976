"""Whether a party's books support what a certificate says of a good.

Rules:
- The good of the books is on the certificate: the same subheading, the same criterion.
- Records are kept, and the party itself says that the good originates.
- A good wholly obtained, or made of originating materials alone, has no material from elsewhere. Any other may have
  some, but none in its own heading: a change of heading stands here for every specific rule, which is a simplification.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.contracts import Regime
from ledger.encoding import Value
from ledger.forms.lines import unflatten_lines
from scenarios.agents.examination import six_digits
from scenarios.agents.papers import Paper

_NOTHING_FROM_ELSEWHERE = ("A", "C", "WO", "OM")
_HEADING_DIGITS = 4


def supports(books: Paper, goods: Sequence[Value], regime: Regime) -> bool:
    """Say whether books support a certificate.

    Args:
        books: Form 446 as filled in.
        goods: the certificate's lines.
        regime: its agreement, whose origins count as originating.

    Raises:
        PaperError: if the books lack a field.
    """
    if (books.text("is_originating"), books.text("records_kept")) != ("YES", "YES"):
        return False
    subheading, criterion = six_digits(books.text("hs6")), books.text("criterion")
    stated = [
        good
        for good in goods
        if isinstance(good, dict)
        and six_digits(str(good.get("hs6"))) == subheading
        and good.get("criterion") == criterion
    ]
    if not stated:
        return False
    inside = {origin for origins in regime.origins_of_spi.values() for origin in origins} | {"US"}
    foreign = [
        six_digits(str(material.get("hs6")))
        for material in _materials(books)
        if material.get("origin") not in inside
    ]
    if criterion in _NOTHING_FROM_ELSEWHERE:
        return not foreign
    return all(code[:_HEADING_DIGITS] != subheading[:_HEADING_DIGITS] for code in foreign)


def _materials(books: Paper) -> list[dict[str, Value]]:
    listed = unflatten_lines(books.plain(), "materials").get("materials")
    return [item for item in (listed if isinstance(listed, list) else []) if isinstance(item, dict)]
