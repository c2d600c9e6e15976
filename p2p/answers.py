"""What a node's HTTP interfaces answer with: JSON, errors of one shape, and queries read with their bounds.

Rules:
- An error is `{"error": {"code", "message", "remedy"}}` with a fitting status, whatever went wrong.
- A query value that is not what its name promises is refused by name; nothing is guessed.
"""

from __future__ import annotations

import json
import traceback

from aiohttp import web

from ledger.codes import Code
from ledger.errors import DamagedBlockError, DamagedStoreError, NotHereYetError
from p2p.errors import NodeHaltedError, ReadFailedError
from p2p.finality import Finality, TransactionStatus

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]

_HTTP_CODES = {404: "NOT_FOUND", 405: "METHOD_NOT_ALLOWED"}


class ApiError(Exception):
    """An answer that is an error: status, code, message and remedy."""

    def __init__(self, status: int, code: str, message: str, remedy: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.remedy = remedy

    def response(self, headers: dict[str, str] | None = None) -> web.Response:
        """Return it as an HTTP answer."""
        if self.status in {429, 503}:
            headers = {"Retry-After": "1", **(headers or {})}
        return answer(
            {"error": {"code": self.code, "message": str(self), "remedy": self.remedy}}, self.status, headers
        )


def answer(value: Json, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return a JSON answer with keys in a fixed order."""
    return web.Response(
        body=line(value)[:-1], status=status, content_type="application/json", headers=headers
    )


def line(value: Json) -> bytes:
    """Return a JSON answer as one line of a stream, keys in a fixed order."""
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode() + b"\n"


def error_line(request: web.Request, error: Exception) -> bytes:
    """Return the last line of a stream that ends by an error: the error's answer, with its status in it."""
    told = failure(request, error)
    body = json.loads(told.body) if isinstance(told.body, bytes) else {}
    return line({**body, "status": told.status})


def failure(request: web.Request, error: Exception) -> web.Response:
    """Return the answer to a request whose handler ended by an exception."""
    match error:
        case ApiError():
            return error.response()
        case NotHereYetError():
            remedy = (
                "Ask again later, or another member's node; /v1/health tells how much is still being fetched."
            )
            return ApiError(503, "NOT_HERE_YET", str(error), remedy).response()
        case DamagedBlockError():
            remedy = (
                "Ask again: it is fetched from another node; run `seatrial verify` on this node's database."
            )
            return ApiError(500, "DAMAGED_BLOCK", str(error), remedy).response()
        case ReadFailedError():
            remedy = "Ask again, or with consistency=local for what this node has applied so far."
            return ApiError(503, "NO_LEADER", str(error), remedy).response()
        case DamagedStoreError():
            remedy = "Stop this node and run `seatrial verify` on its database; do not rely on its answers."
            return ApiError(500, "DAMAGED_STORE", str(error), remedy).response()
        case NodeHaltedError():
            remedy = "See why the node stopped; once it is back, send the same again: it has one effect."
            return ApiError(503, "NODE_STOPPED", str(error), remedy).response()
        case web.HTTPRequestEntityTooLarge():
            return ApiError(413, Code.TOO_LARGE, error.text or "too large", Code.TOO_LARGE.remedy).response()
        case web.HTTPException():
            return _http_failure(request, error)
        case web.RequestPayloadError():
            remedy = "Send the whole body, in the encoding its headers name."
            return ApiError(400, "BAD_BODY", "the body does not arrive as its headers say", remedy).response()
        case _:
            remedy = "This is a fault of the node's program; report it with what was asked."
            where = place_of(error)
            return ApiError(500, "INTERNAL", f"{type(error).__name__} at {where}", remedy).response()


def place_of(error: Exception) -> str:
    """Return the file and line that raised: enough to find the fault, and nothing of what was handled there."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename.rpartition('/')[2]}:{frames[-1].lineno}" if frames else "an unknown place"


def _http_failure(request: web.Request, error: web.HTTPException) -> web.Response:
    code = _HTTP_CODES.get(error.status, "HTTP")
    remedy = "See the API's documentation for paths and methods."
    message = f"{request.method} {request.path[:200]}: {error.reason}"
    allow = error.headers.get("Allow")
    return ApiError(error.status, code, message, remedy).response({"Allow": allow} if allow else None)


def status_json(status: TransactionStatus) -> dict[str, Json]:
    """Return a transaction's status as JSON, without what is not known."""
    fields: dict[str, Json] = {
        "id": status.id.hex(),
        "status": status.status.value,
        "code": status.code,
        "rule": status.rule,
        "height": status.height,
        "position": status.position,
        "index": status.index,
        "time_ms": status.time_ms,
        "accepted_ms": status.accepted_ms,
    }
    known: dict[str, Json] = {name: value for name, value in fields.items() if value is not None}
    if status.code is not None:
        known["findings"] = list(status.findings)
    return known


def bad_query(name: str, value: str, wanted: str) -> ApiError:
    """Return the refusal of a value in path or query."""
    remedy = f"Give {name} as {wanted}."
    return ApiError(400, "BAD_QUERY", f"{name}: {value[:80]!r} is not {wanted}", remedy)


def read_hex(text: str, name: str, size: int) -> bytes:
    """Return `size` bytes given in hex.

    Raises:
        ApiError: if they are not.
    """
    wanted = f"{2 * size} hex digits"
    if len(text) != 2 * size:
        raise bad_query(name, text, wanted)
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise bad_query(name, text, wanted) from None


def read_number(text: str, name: str) -> int:
    """Return a whole number of 0 or more.

    Raises:
        ApiError: if it is none.
    """
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise bad_query(name, text, "a whole number")
    return int(text)


def read_integer(request: web.Request, name: str, default: int, maximum: int, minimum: int = 0) -> int:
    """Return a number of the query, or `default` where the query does not name it.

    Raises:
        ApiError: if it is no number, or out of bounds.
    """
    text = request.query.get(name)
    if text is None:
        return default
    value = -1 if text == "-1" else read_number(text, name)
    if not minimum <= value <= maximum:
        raise bad_query(name, text, f"within {minimum} .. {maximum}")
    return value


def read_flag(request: web.Request, name: str) -> bool:
    """Return a yes or no of the query; no where the query does not name it.

    Raises:
        ApiError: if it is neither `true` nor `false`.
    """
    text = request.query.get(name, "false")
    if text not in {"true", "false"}:
        raise bad_query(name, text, "true or false")
    return text == "true"


def read_finality(text: str) -> Finality:
    """Return a finality that can be waited for.

    Raises:
        ApiError: if there is no such step.
    """
    waitable = [step for step in Finality if step is not Finality.EXPIRED]
    for step in waitable:
        if step.value == text:
            return step
    raise bad_query("wait", text, " or ".join(step.value for step in waitable))
