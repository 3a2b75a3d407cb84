import os
import time

import pytest
from rq.job import Job

from portal.integrations.rq.adapter import PolledJobQueue, RqJobQueue, connect, queue_for
from portal.runtime.valkey import Valkey


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    if os.name == "nt":
        pytest.skip("no Valkey there")
    server = Valkey(tmp_path_factory.mktemp("valkey"), on_exit=lambda: None)
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def queue(url):
    client = connect(url)
    client.flushall()
    client.close()
    return RqJobQueue(url)


def jobs(url, kind):
    connection = connect(url)
    return [Job.fetch(i, connection=connection, serializer="json") for i in queue_for(kind, connection).job_ids]


def test_a_wake_up_is_a_drain_of_its_kind_and_carries_no_work(queue, url):
    queue.wake("notify")
    (job,) = jobs(url, "notify")
    assert (job.func_name, job.args, job.kwargs) == ("portal.jobs.drain.drain", ["notify"], {})


def test_nothing_of_a_job_is_kept_and_rq_neither_retries_nor_repeats_it(queue, url):
    queue.wake("notify")
    (job,) = jobs(url, "notify")
    assert (job.result_ttl, job.failure_ttl, job.retries_left, job.repeats_left) == (0, 86400, None, None)


def test_wake_ups_never_share_an_id(queue, url):
    queue.wake("notify")
    queue.wake("notify")
    assert len({job.id for job in jobs(url, "notify")}) == 2


def test_each_kind_waits_in_a_queue_of_its_own(queue):
    queue.wake("notify")
    assert not queue.is_empty("notify")
    assert queue.is_empty("triage")


def test_without_redis_a_wake_up_is_lost_quietly_and_the_queue_counts_as_empty(tmp_path, caplog):
    queue = RqJobQueue(f"unix://{tmp_path}/nobody.sock")
    queue.wake("notify")
    assert queue.is_empty("notify")
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_redis_that_hangs_holds_nobody_up_for_long():
    import socket

    with socket.create_server(("127.0.0.1", 0)) as hanging:
        begun = time.monotonic()
        RqJobQueue(f"redis://127.0.0.1:{hanging.getsockname()[1]}").wake("notify")
        assert time.monotonic() - begun < 10


def test_polled_mode_has_no_queue_to_speak_to():
    PolledJobQueue().wake("notify")
    assert PolledJobQueue().is_empty("notify")


def test_in_polled_mode_a_worker_hears_its_own_wake_ups():
    queue, heard = PolledJobQueue(), []
    queue.on_wake = heard.append
    queue.wake("notify")
    assert heard == ["notify"]
