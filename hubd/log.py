"""Logging: structlog, pretty on a terminal, JSON lines otherwise. Always to stderr; stdout belongs to results.

Logs are free of people: an event is one of the names in docs/log.md, and only the fields below pass. What is not on the
list is dropped, so that a careless line can't leak a name, an address of a person or a text.
"""

import logging
import os
import sys
from typing import Any

from hubd.lean import without_pretty

with without_pretty():
    import structlog

FIELDS = frozenset(
    (
        "accepted", "actions", "address", "area", "attempt", "bytes", "code", "count", "delay_s", "detail", "door",
        "duration_ms", "error", "event", "exc_info", "exception", "fee_ustx", "fingerprint", "height", "hint", "hub",
        "interface", "items", "kind", "level", "logger", "network", "node", "peer", "phone", "pid", "port", "proven",
        "reason", "rounds", "service", "signal", "state", "timestamp", "transaction", "url", "version", "account_nonce",
    )
)  # fmt: skip


def _allow_listed(_logger: object, _method: str, entry: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {key: value for key, value in entry.items() if key in FIELDS}


def _bears_colors() -> bool:
    """A terminal, unless its owner wants none (no-color.org) or it knows none."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def configure(level: str = "info", form: str = "auto") -> None:
    """Set up logging for this process. `level`: debug, info, warning, error. `form`: auto, console, json."""
    console = form == "console" or (form == "auto" and sys.stderr.isatty())
    renderer: Any = structlog.processors.JSONRenderer(sort_keys=True)
    if console:
        renderer = structlog.dev.ConsoleRenderer(
            colors=_bears_colors(), exception_formatter=structlog.dev.plain_traceback
        )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _allow_listed,
            *([] if console else [structlog.processors.format_exc_info]),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=False,
    )


def get(service: str) -> Any:
    """A logger whose lines name their service."""
    return structlog.get_logger(service=service)
