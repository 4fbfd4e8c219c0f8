"""A stick that fails, or has no room, while a hub writes on it: whoever reads its receipt knows what to do."""

import errno

import pytest
from posts import hubs, plug, words

from hubd.post.stick import FOLDER, Stick
from hubd.post.words import giving


@pytest.mark.parametrize("spoiled", [("replace",), ("replace", "overwrite"), ("append",), ("append", "overwrite")])
@pytest.mark.parametrize("call", range(1, 4))
async def test_a_stick_that_fails_while_it_is_written_tells_nobody_to_wait(tmp_path, monkeypatch, spoiled, call):
    async with hubs(tmp_path, "hub-a", "hub-b") as (one, two):
        await one.take(*(one.village.request("ana") for _ in range(5)))
        await plug(two, tmp_path / "stick")
        left = dict.fromkeys(spoiled, call)

        def failing(method):
            real = getattr(Stick, method)

            def spoil(*of):
                left[method] -= 1
                if left[method] <= 0 or method == "overwrite":
                    raise OSError(errno.EIO, "broken")
                return real(*of)

            return spoil

        for method in spoiled:
            monkeypatch.setattr(Stick, method, failing(method), raising=False)
        visit = await plug(one, tmp_path / "stick")
        files = [path.name for path in (tmp_path / "stick" / FOLDER).iterdir()]
        assert visit.is_told == ("RECEIPT.txt" in files)
        assert not [name for name in files if name.endswith(".new")]
        if visit.is_told:
            assert "hub-a" in words(tmp_path / "stick")
            assert ("Not everything could be left" in words(tmp_path / "stick")) == bool(visit.code)
            assert "Please wait" not in words(tmp_path / "stick")


@pytest.mark.parametrize("is_there", [True, False])
async def test_a_stick_without_room_still_says_so(tmp_path, monkeypatch, is_there):
    async with hubs(tmp_path, "hub-a", "hub-b") as (one, two):
        if is_there:
            await plug(two, tmp_path / "stick")
        monkeypatch.setattr(Stick, "free_bytes", lambda _: 0)
        visit = await plug(one, tmp_path / "stick")
        assert (visit.code, visit.is_all, visit.is_told) == ("stick-full", False, True)
        assert "Post at the hub hub-a" in words(tmp_path / "stick")
        assert "The stick is full" in words(tmp_path / "stick")


def test_what_stands_there_while_a_hub_writes_says_what_to_do_if_it_stays():
    assert "plug it in once more" in giving()
