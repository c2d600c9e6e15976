"""A run that is over leaves nothing of its world behind, however its tasks ended."""

import asyncio
import contextlib
import weakref

from aiohttp import web

from p2p.virtual import run_virtual


class Anchor:
    """Something that can be looked for afterwards."""


def test_a_task_that_was_canceled_does_not_keep_what_its_frames_held():
    held = []

    async def main(_world):
        class Holder:
            def __init__(self):
                self.anchor = Anchor()
                self.task = asyncio.create_task(self.wait())

            async def wait(self):
                await asyncio.sleep(100)

        holder = Holder()
        held.append(weakref.ref(holder.anchor))
        await asyncio.sleep(1)
        holder.task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait([holder.task])

    run_virtual(main, seed=1)
    assert held[0]() is None


def test_an_application_that_answered_is_not_remembered():
    held = []

    async def main(world):
        anchor = Anchor()
        held.append(weakref.ref(anchor))

        async def answer(_request, kept=anchor):
            return web.Response(text=str(bool(kept)))

        application = web.Application()
        application.router.add_get("/", answer)
        match = await application.router.resolve(_request(application))
        match.add_app(application)
        await application._handle(_request(application, match))

    run_virtual(main, seed=1)
    assert held[0]() is None


def _request(application, match=None):
    from aiohttp.test_utils import make_mocked_request

    request = make_mocked_request("GET", "/", app=application)
    request._match_info = match
    return request
