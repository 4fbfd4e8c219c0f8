"""The measurements measure: two processes fill one another over real sockets, and figures come out of it."""

from bench.actions import made
from bench.fill import fill


async def test_an_empty_hub_is_filled_in_a_process_of_its_own_and_every_byte_on_the_wire_is_counted():
    found = await fill([made(number) for number in range(400)])
    assert found.payload_bytes < found.wire_bytes < 1.5 * found.payload_bytes
    assert 0 < found.receiver_cpu_s < found.wall_s * 2
    assert found.sender_cpu_s > 0
    assert found.fold_cpu_s > 0
