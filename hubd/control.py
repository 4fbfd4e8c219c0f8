"""The hub's own door: a Unix socket in the data directory, for the `hubd` command on the same machine.

Who may enter the directory (0700) may speak here; nobody else can. One request and one answer a connection, each a CBOR
value behind its length. It exists because the database has one writer, and a running hub is it.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import cbor2

from hubd import log
from hubd.errors import FatalError, HubdError
from hubd.limits import CONTROL_BYTES_MAX

SOCKET_NAME = "control.sock"
Endpoint = Callable[..., Awaitable[Any]]


async def _read(reader: asyncio.StreamReader) -> Any:
    length = int.from_bytes(await reader.readexactly(4), "big")
    if length > CONTROL_BYTES_MAX:
        raise FatalError("control", "the message is too large", hint="use smaller portions")
    return cbor2.loads(await reader.readexactly(length))


def _frame(value: Any) -> bytes:
    raw = cbor2.dumps(value)
    return len(raw).to_bytes(4, "big") + raw


@asynccontextmanager
async def _short_path(directory: Path) -> AsyncIterator[str]:
    """A name of the socket that fits the 107 bytes of a Unix address, however deep the directory lies."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET_NAME}"
    finally:
        os.close(descriptor)


class ControlServer:
    """Answers requests `[name, argument...]` by a table of endpoints."""

    def __init__(self, directory: Path, endpoints: Mapping[str, Endpoint]) -> None:
        self._directory = directory
        self._endpoints = endpoints

    async def run(self) -> None:
        """Serve until cancelled. A socket left by a crash is replaced: the directory's lock says that we are alone."""
        (self._directory / SOCKET_NAME).unlink(missing_ok=True)
        async with _short_path(self._directory) as path:
            server = await asyncio.start_unix_server(self._serve, path)
        try:
            async with server:
                await server.serve_forever()
        finally:
            (self._directory / SOCKET_NAME).unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            name, *arguments = await _read(reader)
            endpoint = self._endpoints.get(name)
            if endpoint is None:
                answer: list[Any] = [
                    "error",
                    "control",
                    f"this hub knows no request {name!r}",
                    "is it an older version?",
                ]
            else:
                answer = ["ok", await endpoint(*arguments)]
        except HubdError as error:
            answer = ["error", error.code, error.detail, error.hint]
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()
            return
        except Exception:  # noqa: BLE001  # a fault of ours is logged, and the command told so
            log.get("control").exception("control-failed")
            answer = ["error", "control", "the hub could not answer; its log says why", "look at the hub's log"]
        try:
            writer.write(_frame(answer))
            await writer.drain()
        except ConnectionError:
            pass
        finally:
            writer.close()


async def ask(directory: Path, name: str, *arguments: Any) -> Any:
    """One request to a running hub. Raises `FatalError("not-running")` when none answers there."""
    try:
        async with _short_path(directory) as path:
            reader, writer = await asyncio.open_unix_connection(path)
    except OSError as error:
        raise FatalError(
            "not-running",
            f"no hub runs on {directory}",
            hint="start it with `hubd run`, or name its folder with --data",
        ) from error
    try:
        writer.write(_frame([name, *arguments]))
        await writer.drain()
        kind, *answer = await _read(reader)
    except (asyncio.IncompleteReadError, ConnectionError) as error:
        raise FatalError("not-running", "the hub stopped while it was asked", hint="start it and try again") from error
    finally:
        writer.close()
    if kind == "error":
        code, detail, hint = answer
        raise FatalError(code, detail, hint=hint)
    return answer[0]
