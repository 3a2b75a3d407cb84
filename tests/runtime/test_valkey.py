import os
import shutil
import signal
import threading

import pytest
import redis

from portal.runtime import valkey as module
from portal.runtime.valkey import Valkey, ValkeyError, stop_left_over
from tests.runtime.running import eventually

pytestmark = pytest.mark.skipif(os.name == "nt", reason="no Valkey there")


@pytest.fixture
def make(tmp_path):
    servers = []

    def start(state_dir=tmp_path / "a folder with spaces" / "valkey", on_exit=lambda: None):
        servers.append(Valkey(state_dir, on_exit=on_exit))
        servers[-1].start()
        return servers[-1]

    yield start
    for server in servers:
        server.stop()


def test_it_answers_on_a_private_socket_and_nowhere_else(make):
    server = make()
    client = redis.Redis.from_url(server.url)
    assert client.ping()
    assert server.socket_path.parent.stat().st_mode & 0o777 == 0o700
    assert client.config_get("port") == {"port": "0"} or client.config_get("port") == {b"port": b"0"}
    client.close()


def test_what_waits_survives_a_kill(make):
    died = threading.Event()
    server = make(on_exit=died.set)
    client = redis.Redis.from_url(server.url)
    client.rpush("list", "x")
    client.execute_command("WAITAOF", "1", "0", "2000")
    os.kill(server.pid, signal.SIGKILL)
    assert died.wait(10)
    server.start()
    assert client.llen("list") == 1
    client.close()


def test_a_journal_that_cannot_be_read_is_thrown_away(make, tmp_path):
    first = make()
    first.stop()
    journal = first._state_dir / "appendonlydir"
    manifest = next(journal.glob("*.manifest"))
    manifest.write_text("this is no manifest\n")
    assert redis.Redis.from_url(make().url).ping()


def test_a_stop_is_no_death(make):
    told = []
    server = make(on_exit=lambda: told.append(1))
    folder = server.socket_path.parent
    server.stop()
    assert told == []
    assert not folder.exists()


def test_a_server_left_over_is_shut_down_and_awaited(make):
    server = make()
    stop_left_over(server.socket_path)
    eventually(lambda: server._process.poll() is not None, what="the shutdown")
    assert not server.socket_path.parent.exists()


def test_clearing_up_where_nobody_answers_removes_only_our_own_folder(tmp_path):
    (tmp_path / "q.sock").touch()
    stop_left_over(tmp_path / "q.sock")
    assert tmp_path.exists()


def test_a_long_temporary_folder_is_avoided(monkeypatch, tmp_path):
    deep = tmp_path / ("x" * 90)
    deep.mkdir()
    monkeypatch.setattr(module.tempfile, "tempdir", str(deep))
    server = Valkey(tmp_path, on_exit=lambda: None)
    assert len(str(server.socket_path)) < 104
    shutil.rmtree(server.socket_path.parent)


def test_a_machine_without_the_binary_is_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setattr("platform.system", lambda: "Plan9")
    server = Valkey(tmp_path / "state", on_exit=lambda: None)
    with pytest.raises(ValkeyError, match=r"(?i)plan9"):
        server.start()
    server.stop()
