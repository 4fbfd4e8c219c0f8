"""TLS before the phone API: the certificate, and the handshake within the same bounds as everything else.

A connection has its place before the handshake begins, and the handshake as long as a request's head: uvicorn's own way
would give a stalled stranger a minute that nobody counts.
"""

import asyncio
import ssl
from pathlib import Path
from typing import Any

from hubd.errors import FatalError
from hubd.web.places import Places, client_of


class Certificate:
    """A server's certificate and key, from files that may be renewed while it runs. Raises `FatalError("tls")`."""

    def __init__(self, certificate_file: Path, key_file: Path) -> None:
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.set_alpn_protocols(["http/1.1"])
        self._files = certificate_file, key_file
        self.renew()

    def renew(self) -> None:
        """Read the files again: for connections from now on. What does not fit together changes nothing."""
        certificate, key = self._files
        reading = certificate
        try:
            for reading in self._files:
                reading.read_bytes()
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, _refuse_sealed)
            self.context.load_cert_chain(certificate, key, _refuse_sealed)
        except ssl.SSLError as error:
            is_other = error.reason == "KEY_VALUES_MISMATCH"
            wrong = "the key is not this certificate's" if is_other else "no PEM files of a certificate and its key"
            raise _told(f"{certificate}, {key}: {wrong}") from error
        except OSError as error:
            raise _told(f"{reading}: {error.strerror}") from error
        except ValueError as error:
            raise _told(f"{certificate}, {key}: {error}") from error


def _refuse_sealed() -> str:
    """Asked for the passphrase of a sealed key. OpenSSL would ask on the terminal, and all would wait for an answer."""
    raise ValueError("the key is sealed with a passphrase, and nobody is there to type it")


def _told(detail: str) -> FatalError:
    return FatalError(
        "tls",
        detail,
        hint="phones.tls_cert is the full chain in PEM, phones.tls_key its key, unsealed; may this user read both?",
    )


class _Early(asyncio.Protocol):
    """Keeps what comes in the same moment as the handshake's end, before anybody is there to take it."""

    def __init__(self) -> None:
        self.came = bytearray()
        self.is_over = False

    def data_received(self, data: bytes) -> None:
        self.came += data

    def connection_lost(self, _exc: Exception | None) -> None:
        self.is_over = True


def front(tls: ssl.SSLContext, places: Places, inner: Any) -> Any:
    """A protocol class for the listener: it shakes hands, then hands the connection and its place to `inner`."""

    class Front(asyncio.Protocol):
        def __init__(self, **settings: Any) -> None:
            self._settings = settings
            self._shaking: asyncio.Task[None] | None = None

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            assert isinstance(transport, asyncio.Transport)
            loop = asyncio.get_running_loop()
            if places.take(client_of(transport), loop.time(), transport.abort):
                transport.pause_reading()
                self._shaking = loop.create_task(self._shake(transport), name="phone-tls")
            else:
                transport.abort()

        async def _shake(self, raw: asyncio.Transport) -> None:
            client, early = client_of(raw), _Early()
            try:
                transport = await asyncio.get_running_loop().start_tls(
                    raw, early, tls, server_side=True, ssl_handshake_timeout=places.open_s
                )
            except (OSError, TimeoutError):
                transport = None
            if transport is None or early.is_over:
                places.let_go += 1
                places.leave(client)
                raw.abort()
                return
            protocol = inner(**self._settings)
            protocol.place = client
            protocol.connection_made(transport)
            transport.set_protocol(protocol)
            if early.came:
                protocol.data_received(bytes(early.came))

    return Front
