"""Live nodes' control channels, asked over HTTP."""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp

from scenarios.worlds.base import Endpoint

ANSWER_LIMIT_S = 5


class ControlChannels:
    """Asks nodes' control channels; to be made within a running loop, and closed."""

    def __init__(self) -> None:
        self._http = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=ANSWER_LIMIT_S))

    async def ask(
        self, endpoint: Endpoint, method: str, path: str, body: Mapping[str, object] | None = None
    ) -> dict[str, object] | None:
        """Ask one node; None if it does not answer, or not with what was asked for."""
        headers = {"Authorization": f"Bearer {endpoint.control_token}"}
        try:
            async with self._http.request(
                method, endpoint.url + path, headers=headers, json=body
            ) as response:
                if response.status != 200:
                    return None
                answer: dict[str, object] = await response.json()
                return answer
        except (aiohttp.ClientError, TimeoutError, OSError):
            return None

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()
