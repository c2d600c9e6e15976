"""What a step or a fault may wait for: sentences about what the observer sees.

Rules:
- A predicate is true from the first moment it holds; it is about an event, so it cannot become false again.

| sentence | true when |
|---|---|
| `leader elected` | some node leads |
| `block 10 committed` | a node has executed the block at height 10 |
| `certificate c1 anchored` | its root is on the ledger |
| `certificate c1 delivered [to importer]` | a holding is DELIVERED on the ledger |
| `certificate c1 held [by importer]` | a holding is HELD on the ledger |
| `claim e1 filed` | the claim is on the ledger |
| `form t1 is HOLD` | the form 370 was ever in this state |
| `claim e1 is UNDER_REVIEW` | the claim's fine state was ever this |
| `carnet k1 is ACTIVE` | the carnet was ever in this state |
| `voucher k1/3 is ENDORSED` | the voucher was ever in this state |
| `carnet claim k1/3 is CLAIM_OPEN` | customs' claim under the voucher was ever in this fine state |
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, TypeAlias

from scenarios.errors import RefusedError
from scenarios.model.subjects import NAME_PATTERN, SUBJECTS, SubjectKind
from scenarios.model.units import Text


class CertificateEvent(StrEnum):
    """What can happen to a certificate."""

    ANCHORED = "anchored"
    DELIVERED = "delivered"
    HELD = "held"


@dataclass(frozen=True, slots=True)
class LeaderElected:
    """Some node leads."""

    def __str__(self) -> str:
        return "leader elected"


@dataclass(frozen=True, slots=True)
class BlockCommitted:
    """A node has executed the block at a height."""

    height: int

    def __str__(self) -> str:
        return f"block {self.height} committed"


@dataclass(frozen=True, slots=True)
class CertificateReached:
    """A certificate was anchored, delivered or held; by any holder if none is named."""

    certificate: str
    event: CertificateEvent
    holder: str | None = None

    def __str__(self) -> str:
        word = "to" if self.event is CertificateEvent.DELIVERED else "by"
        return f"certificate {self.certificate} {self.event}" + (
            f" {word} {self.holder}" if self.holder else ""
        )


@dataclass(frozen=True, slots=True)
class ClaimFiled:
    """A claim is on the ledger."""

    claim: str

    def __str__(self) -> str:
        return f"claim {self.claim} filed"


@dataclass(frozen=True, slots=True)
class SubjectReached:
    """A claim, or whatever else has states, was ever in this one."""

    kind: SubjectKind
    name: str
    state: str

    def __str__(self) -> str:
        return f"{self.kind.word} {self.name} is {self.state}"


Predicate: TypeAlias = LeaderElected | BlockCommitted | CertificateReached | ClaimFiled | SubjectReached

SENTENCES = (
    "leader elected",
    "block N committed",
    "certificate NAME anchored",
    "certificate NAME delivered [to ORGANIZATION]",
    "certificate NAME held [by ORGANIZATION]",
    "claim NAME filed",
    *(f"{kind.word} NAME is STATE" for kind in SUBJECTS.values()),
)


def _block(match: re.Match[str]) -> Predicate:
    height = int(match[1])
    if height < 1:
        raise RefusedError(
            f"block {height} is genesis, not committed by anyone", "blocks count from 1", "name 1"
        )
    return BlockCommitted(height)


def _reached(kind: SubjectKind) -> Callable[[re.Match[str]], Predicate]:
    return lambda match: SubjectReached(kind, match[1], kind.state(match[2]))


_N = f"({NAME_PATTERN})"
_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Predicate]], ...] = (
    (re.compile(r"leader elected"), lambda _match: LeaderElected()),
    (re.compile(r"block ([0-9]{1,9}) committed"), _block),
    (
        re.compile(rf"certificate {_N} (anchored)"),
        lambda match: CertificateReached(match[1], CertificateEvent.ANCHORED),
    ),
    (
        re.compile(rf"certificate {_N} (delivered|held)(?: (?:to|by) ([a-z0-9-]+))?"),
        lambda match: CertificateReached(match[1], CertificateEvent(match[2]), match[3]),
    ),
    (re.compile(rf"claim {_N} filed"), lambda match: ClaimFiled(match[1])),
    *(
        (re.compile(rf"{kind.word} ({kind.pattern}) is ([A-Za-z_]+)"), _reached(kind))
        for kind in SUBJECTS.values()
    ),
)


def parse_predicate(text: str) -> Predicate:
    """Return the predicate of one sentence; the table is in this module's docstring.

    Raises:
        RefusedError: The sentence is none of the table's.
    """
    words = " ".join(text.split())
    for pattern, make in _RULES:
        match = pattern.fullmatch(words)
        if match is not None:
            return make(match)
    raise RefusedError(f'"{text}" is no predicate', "one of: " + " | ".join(SENTENCES), "")


PredicateText = Annotated[Predicate, Text(parse_predicate, {"examples": ["certificate c1 delivered"]})]
