"""Run services side by side: one that fails is restarted with back-off, and a `FatalError` ends them all."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from hubd import log
from hubd.errors import FatalError
from hubd.limits import SERVICE_RESTART_S_MAX, SERVICE_RESTART_S_MIN, SERVICE_STEADY_S

Service = Callable[[], Awaitable[None]]


async def supervise(services: Mapping[str, Service]) -> None:
    """Runs until cancelled, or until a service raises `FatalError`. A service that returns is finished."""
    try:
        async with asyncio.TaskGroup() as group:
            for name, service in services.items():
                group.create_task(_keep_running(name, service), name=name)
    except* FatalError as errors:
        raise errors.exceptions[0] from None


async def _keep_running(name: str, service: Service) -> None:
    logger = log.get("supervisor")
    clock = asyncio.get_running_loop().time
    delay_s = SERVICE_RESTART_S_MIN
    while True:
        started = clock()
        try:
            await service()
        except FatalError:
            raise
        except Exception:  # whatever it was, the other services go on
            if clock() - started > SERVICE_STEADY_S:
                delay_s = SERVICE_RESTART_S_MIN
            logger.exception("service-failed", detail=name, delay_s=delay_s)
            await asyncio.sleep(delay_s)
            delay_s = min(delay_s * 2, SERVICE_RESTART_S_MAX)
        else:
            return
