"""A node's standing as the control channel reports it, read back into its type."""

from __future__ import annotations

from collections.abc import Mapping
from operator import itemgetter

from scenarios.worlds.base import Standing

_values = itemgetter(*Standing.__slots__)


def read_standing(values: Mapping[str, object]) -> Standing:
    """Return the standing in a report.

    Raises:
        KeyError: if the report lacks a field.
    """
    return Standing(*_values(values))
