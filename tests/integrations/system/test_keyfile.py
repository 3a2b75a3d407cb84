import base64
import stat
import sys
import threading

import pytest

from portal.core.errors import DomainError
from portal.integrations.system.keyfile import KeyFileBox, load_box
from portal.integrations.system.randomness import SystemRandomness


def test_what_is_sealed_can_be_opened_and_does_not_show(tmp_path):
    box = load_box(tmp_path / "secret.key")
    sealed = box.seal("hunter2 ä")
    assert "hunter2" not in sealed
    assert box.open(sealed) == "hunter2 ä"
    assert box.seal("hunter2 ä") != sealed


def test_the_key_is_made_once_and_kept(tmp_path):
    path = tmp_path / "new" / "secret.key"
    sealed = load_box(path).seal("x")
    assert load_box(path).open(sealed) == "x"
    assert [p.name for p in path.parent.iterdir()] == ["secret.key"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no modes")
def test_only_its_owner_may_read_the_key(tmp_path):
    load_box(tmp_path / "secret.key")
    assert stat.S_IMODE((tmp_path / "secret.key").stat().st_mode) == 0o600


def test_processes_that_start_together_get_the_same_key(tmp_path):
    boxes, barrier = [], threading.Barrier(8)

    def start():
        barrier.wait()
        boxes.append(load_box(tmp_path / "secret.key"))

    threads = [threading.Thread(target=start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({box.mac("test", b"") for box in boxes}) == 1


def test_another_key_opens_nothing_and_says_so(tmp_path):
    sealed = load_box(tmp_path / "one").seal("x")
    with pytest.raises(DomainError, match="cannot be opened with this key file"):
        load_box(tmp_path / "two").open(sealed)


@pytest.mark.parametrize("broken", ["", "1.", "1.AAAA", "1.!!!", "2." + "A" * 60, "no dot"])
def test_a_broken_secret_is_one_sentence_and_no_crash(tmp_path, broken):
    with pytest.raises(DomainError):
        load_box(tmp_path / "one").open(broken)


def test_a_changed_secret_is_refused(tmp_path):
    box = load_box(tmp_path / "one")
    sealed = box.seal("give Mallory 1")
    changed = sealed[:-6] + ("AA" if sealed[-6:-4] != "AA" else "BB") + sealed[-4:]
    with pytest.raises(DomainError):
        box.open(changed)


@pytest.mark.parametrize("content", [b"", b"not base64!", base64.b64encode(b"short"), b"\xff\xfe"])
def test_a_file_that_is_no_key_is_refused_with_one_sentence(tmp_path, content):
    (tmp_path / "key").write_bytes(content)
    with pytest.raises(DomainError, match="key file"):
        load_box(tmp_path / "key")


def test_a_mac_depends_on_key_purpose_and_message():
    one, two = KeyFileBox(b"1" * 32), KeyFileBox(b"2" * 32)
    macs = [one.mac("a", b"x"), one.mac("b", b"x"), one.mac("a", b"y"), two.mac("a", b"x")]
    assert len(set(macs)) == 4
    assert {len(mac) for mac in macs} == {32}
    assert one.mac("a", b"x") == macs[0]


def test_tokens_are_as_long_as_asked_and_never_alike():
    assert len({SystemRandomness().token(16) for _ in range(100)}) == 100
    assert {len(SystemRandomness().token(size)) for size in (1, 16)} == {1, 16}


def test_jitter_stays_between_zero_and_one():
    assert all(0 <= SystemRandomness().jitter() < 1 for _ in range(100))
