"""A wake ends the one wait that it was set for, and nothing set is missed."""

from __future__ import annotations

import asyncio

import pytest

from p2p.wake import Wake


async def test_what_was_set_before_the_wait_ends_it_once() -> None:
    wake = Wake()
    wake.set()
    wake.set()
    await wake.wait()
    waiting = asyncio.create_task(wake.wait())
    await asyncio.sleep(0)
    assert not waiting.done()
    wake.set()
    await waiting


async def test_what_is_set_while_the_waiter_works_ends_the_next_wait() -> None:
    wake = Wake()
    waiting = asyncio.create_task(wake.wait())
    await asyncio.sleep(0)
    wake.set()
    await waiting
    wake.set()
    await wake.wait()


async def test_a_wait_that_was_given_up_leaves_the_flag_to_the_next() -> None:
    wake = Wake()
    waiting = asyncio.create_task(wake.wait())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    wake.set()
    await wake.wait()


async def test_a_second_waiter_is_refused() -> None:
    wake = Wake()
    waiting = asyncio.create_task(wake.wait())
    await asyncio.sleep(0)
    with pytest.raises(RuntimeError, match="a Wake has one waiter"):
        await wake.wait()
    wake.set()
    await waiting
