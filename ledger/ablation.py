"""A safeguard of execution that a test may switch off, to see the check that catches its absence.

Rules:

- It is on. A `Ledger` with it off is refused, unless it is made inside `ablation_permitted()`, which only tests
  call: nothing on a node's path, no setting and no file, can switch it off.
- What it is worth stands in `docs/ablation.md`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from ledger.errors import AblationError


@dataclass(frozen=True, slots=True)
class Safeguards:
    """What protects the ledger, and from what.

    Attributes:
        duplicate_suppression: id and nonce are used up once; else a retry is done twice (dissertation, 6.3).
    """

    duplicate_suppression: bool = True


ALL_ON: Final = Safeguards()
_permitted: ContextVar[bool] = ContextVar("ledger_ablation_permitted", default=False)


@contextmanager
def ablation_permitted() -> Iterator[None]:
    """Lets a test make a `Ledger` with a safeguard off."""
    token = _permitted.set(True)
    try:
        yield
    finally:
        _permitted.reset(token)


def check_permitted(safeguards: Safeguards) -> None:
    """Refuse safeguards that are off outside `ablation_permitted()`.

    Raises:
        AblationError: naming what is off.
    """
    if not safeguards.duplicate_suppression and not _permitted.get():
        raise AblationError(
            "safeguard duplicate_suppression is off, which only a test may do, inside ablation_permitted(); "
            "leave it on"
        )
