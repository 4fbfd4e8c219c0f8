"""The stdio line protocol of the reference's conformance suite, spoken by the product's code.

    item,<created>,<id in hex>    one of this side's items
    seal                          no more items
    initiate                      -> msg,<hex>
    msg,<hex>                     -> have,<id>* need,<id>* then msg,<hex> or done

FRAMESIZELIMIT in the environment bounds the messages that are sent (0 or absent: unbounded). A message that is refused
ends the program with status 1 and the reason on stderr. It runs wherever `hubd` can be imported:
`python tests/interop/negentropy_harness.py`.
"""

import os
import sys
from collections.abc import Iterable, Iterator

from hubd.errors import HubdError
from hubd.gossip.items import SortedItems
from hubd.gossip.negentropy import Initiator, Responder

MESSAGE_BYTES_MAX = 2**30  # the suite sends unbounded messages


def answers(lines: Iterable[str], frame_bytes_max: int) -> Iterator[str]:
    """The lines to print for the lines read. A line that the protocol does not know is a `ValueError`."""
    items = SortedItems()
    initiator: Initiator | None = None
    responder = Responder(frame_bytes_max, message_bytes_max=MESSAGE_BYTES_MAX)
    for line in lines:
        match line.strip().split(","):
            case [""] | ["seal"]:
                pass
            case ["item", created, id_]:
                items.add(int(created), bytes.fromhex(id_))
            case ["initiate"]:
                initiator = Initiator(frame_bytes_max, message_bytes_max=MESSAGE_BYTES_MAX)
                yield f"msg,{initiator.open(items).hex()}"
            case ["msg", message] if initiator is None:
                yield f"msg,{responder.handle(items, bytes.fromhex(message)).hex()}"
            case ["msg", message]:
                reply, have, need = initiator.handle(items, bytes.fromhex(message))
                yield from (f"have,{id_.hex()}" for id_ in have)
                yield from (f"need,{id_.hex()}" for id_ in need)
                yield "done" if reply is None else f"msg,{reply.hex()}"
            case _:
                raise ValueError(f"unknown line: {line!r}")


def main() -> int:
    """Answer stdin line by line."""
    try:
        for line in answers(sys.stdin, int(os.environ.get("FRAMESIZELIMIT") or 0)):
            print(line, flush=line.startswith(("msg", "done")))
    except (HubdError, ValueError) as refusal:
        print(refusal, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
