import io
import pickle
import threading

import psutil
import pytest

from portal.core.mail import parse_mail
from portal.services.mail_reader import (
    MailReader,
    ReaderBudget,
    TooCostlyError,
    read_frame,
    read_here,
    read_mail,
    write_frame,
)
from portal.services.sanitize import sanitize_html
from tests.mails import mail_bytes, multipart, part

ERROR = pickle.dumps("Traceback of a mistake")
LARGE = multipart([part("text/html", b"<p onclick=x()>hi</p>"), part("application/pdf", b"x" * 300_000)])


@pytest.fixture
def make_reader():
    made = []

    def make(**budget) -> MailReader:
        made.append(MailReader(ReaderBudget(**budget)))
        return made[-1]

    yield make
    for reader in made:
        reader.close()


def pid_of(reader: MailReader) -> int | None:
    return reader._child.pid if reader._child else None


def test_a_small_mail_is_read_without_another_process(make_reader):
    reader = make_reader()
    assert reader.read(mail_bytes()) == read_here(mail_bytes()) and pid_of(reader) is None


def test_all_of_a_process_read_with_one_reader(make_reader, monkeypatch):
    monkeypatch.setattr("portal.services.mail_reader.READER", reader := make_reader())
    assert read_mail(LARGE).mail.text == "hi" and pid_of(reader) is not None


def test_a_small_mail_is_read_in_another_process_where_that_is_asked_for(make_reader):
    reader = make_reader()
    assert reader.read(mail_bytes(), apart=True) == read_here(mail_bytes()) and pid_of(reader) is not None


def test_a_large_mail_is_read_in_a_process_that_is_kept(make_reader):
    reader = make_reader()
    read = reader.read(LARGE)
    assert read.mail == parse_mail(LARGE) and read.html == sanitize_html("<p>hi</p>")
    pid = pid_of(reader)
    assert pid and reader.read(LARGE) == read and pid_of(reader) == pid


def test_a_mail_that_takes_too_long_is_given_up_and_the_next_one_is_read(make_reader):
    reader = make_reader(seconds=0)
    with pytest.raises(TooCostlyError, match="longer than 0 seconds"):
        reader.read(LARGE)
    assert pid_of(reader) is None
    reader._budget = ReaderBudget()
    assert reader.read(LARGE).mail.text == "hi"


def test_a_mail_that_takes_too_much_memory_is_given_up(make_reader):
    with pytest.raises(TooCostlyError, match="more than 1 MB of memory"):
        make_reader(memory=1_000_000).read(LARGE)


def test_a_mail_over_the_size_is_not_even_begun(make_reader):
    reader = make_reader(size=250_000)
    with pytest.raises(TooCostlyError, match="MB"):
        reader.read(LARGE)
    assert pid_of(reader) is None


def test_a_process_that_ends_under_a_mail_says_nothing_of_its_cost(make_reader, monkeypatch):
    reader = make_reader()
    reader.read(LARGE)

    def die(child, raw, answers):
        psutil.Process(child.pid).kill()

    monkeypatch.setattr("portal.services.mail_reader._exchange", die)
    with pytest.raises(RuntimeError, match="ended the process"):
        reader.read(LARGE)


def test_an_idle_process_ends_itself_and_the_next_mail_starts_another(make_reader):
    reader = make_reader(idle=0.05)
    reader.read(LARGE)
    child = reader._child
    assert child is None or child.wait(timeout=20) == 0
    assert reader.read(LARGE).mail.text == "hi"


def test_a_mistake_of_ours_is_told_with_its_trace(make_reader, monkeypatch):
    reader = make_reader()
    monkeypatch.setattr("portal.services.mail_reader._exchange", lambda child, raw, answers: answers.append(ERROR))
    with pytest.raises(RuntimeError, match="Traceback of a mistake"):
        reader.read(LARGE)


def test_several_threads_share_the_one_process(make_reader):
    reader, found = make_reader(), []
    threads = [threading.Thread(target=lambda: found.append(reader.read(LARGE).mail.text)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert found == ["hi"] * 4


def test_messages_in_a_pipe_are_whole_or_none():
    pipe = io.BytesIO()
    write_frame(pipe, b"words")
    assert read_frame(io.BytesIO(pipe.getvalue())) == b"words"
    for cut in (0, 4, 10):
        assert read_frame(io.BytesIO(pipe.getvalue()[:cut])) is None
