"""What the API tells of a node whose past is not all here."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from p2p.views import Views


def views(*, gaps=(), absent=None, receipts=()):
    """Of a node that has certified and executed ten heights, the last receipt being leaf 9."""
    store = SimpleNamespace(
        gaps=gaps,
        absent_blocks=absent or {},
        last_receipt_index=lambda _height: 9,
        receipts=lambda after, limit: [r for r in receipts if r.index > after][:limit],
    )
    node = SimpleNamespace(store=store, certifier=SimpleNamespace(certified_height=10))
    return Views(node)


WHOLE = tuple(SimpleNamespace(index=index, height=index + 1) for index in range(10))


@pytest.mark.parametrize(
    ("told", "after", "expected"),
    [
        (views(receipts=WHOLE), 8, True),
        (views(receipts=WHOLE), 9, False),
        (
            views(gaps=("2 to 7",)),
            3,
            False,
        ),  # the next one is in the gap: nothing to tell until it is fetched
        (views(gaps=("2 to 7",), receipts=WHOLE), 8, True),
        (views(absent={5: False}, receipts=WHOLE), 3, False),  # its block is still to be fetched
        (views(absent={5: True}, receipts=WHOLE), 3, True),  # its block was here and is damaged
    ],
)
def test_there_are_receipts_only_if_the_next_one_can_be_told(told, after, expected):
    assert told.has_receipts(after) is expected
