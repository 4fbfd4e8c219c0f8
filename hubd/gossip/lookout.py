"""Hears by mDNS which instances of some services are there, and asks for them (RFC 6762, section 5.2).

The browser of the library remembers every instance for as long as its sender says, and names all of them in each of its
questions: so anybody on the network would decide what that costs. This one remembers nothing itself, and its questions name
only what is followed.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Self

from zeroconf import RecordUpdate, RecordUpdateListener, Zeroconf
from zeroconf._dns import DNSPointer, DNSQuestion
from zeroconf._protocol.outgoing import DNSOutgoing
from zeroconf._utils.time import current_time_millis
from zeroconf.const import _CLASS_IN, _FLAGS_QR_QUERY, _TYPE_PTR

from hubd.limits import DISCOVERY_ASK_S_MAX, DISCOVERY_RECORDS_MAX

_FIRST_WAIT_S = 1.0


class Lookout(RecordUpdateListener):
    """Tells `told(service type, name, whether it is there)` of every pointer that is heard, also of one that is not new.

    `now` is any clock that never goes back.
    """

    def __init__(
        self, zeroconf: Zeroconf, service_types: Sequence[str], told: Callable[[str, str, bool], None]
    ) -> None:
        self._zeroconf = zeroconf
        self._service_types = service_types
        self._told = told
        self.ask_anew()

    def __enter__(self) -> Self:
        self._zeroconf.async_add_listener(self, None)
        return self

    def __exit__(self, *_: object) -> None:
        self._zeroconf.async_remove_listener(self)

    def async_update_records(self, zc: Zeroconf, now: float, records: list[RecordUpdate]) -> None:
        """A packet came, or the library noticed that records are out of date."""
        del zc  # its name is the library's
        for each in records:
            pointer = each.new
            if isinstance(pointer, DNSPointer) and pointer.name in self._service_types:
                self._told(pointer.name, pointer.alias, not pointer.is_expired(now))

    def remembered(self, service_type: str) -> list[str]:
        """Instances that the library's memory of this network has."""
        records = self._zeroconf.cache.async_entries_with_name(service_type)
        return [record.alias for record in records if isinstance(record, DNSPointer)]

    def ask_anew(self) -> None:
        """Ask at once, and then less and less often."""
        self._due_at, self._wait_s = 0.0, _FIRST_WAIT_S

    def ask_when_due(self, now: float, followed: Mapping[str, Collection[str]]) -> None:
        """Ask who is there; those who are `followed` need not answer."""
        if now < self._due_at or not self._service_types:
            return
        self._due_at, self._wait_s = now + self._wait_s, min(2 * self._wait_s, DISCOVERY_ASK_S_MAX)
        out, at_ms = DNSOutgoing(_FLAGS_QR_QUERY), current_time_millis()
        for service_type in self._service_types:
            out.add_question(DNSQuestion(service_type, _TYPE_PTR, _CLASS_IN))
            for record in self._zeroconf.cache.async_entries_with_name(service_type):
                is_followed = isinstance(record, DNSPointer) and record.alias in followed[service_type]
                if is_followed and not record.is_stale(at_ms):
                    out.add_answer_at_time(record, at_ms)
        self._zeroconf.async_send(out)

    def forget_flood(self) -> None:
        """Where far more was said than a network has, forget all of it and ask: those who are there say so again.

        Whoever fills the library's memory with what holds for years would else keep all others out of it.
        """
        cache = self._zeroconf.cache
        records = [record for name in cache.names() for record in cache.async_entries_with_name(name)]
        if len(records) > DISCOVERY_RECORDS_MAX:
            cache.async_remove_records(records)
            self.ask_anew()
