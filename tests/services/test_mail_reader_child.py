import io
import pickle

from portal.services.mail_reader import ReadMail, read_frame, write_frame
from portal.services.mail_reader_child import Idleness, main, serve
from tests.mails import mail_bytes


def frames(*mails: bytes) -> io.BytesIO:
    pipe = io.BytesIO()
    for mail in mails:
        write_frame(pipe, mail)
    return io.BytesIO(pipe.getvalue())


def answers(sink: io.BytesIO) -> list:
    source, found = io.BytesIO(sink.getvalue()), []
    while (frame := read_frame(source)) is not None:
        found.append(pickle.loads(frame))
    return found


def test_each_mail_is_answered_until_the_input_ends():
    sink = io.BytesIO()
    serve(frames(mail_bytes(), mail_bytes(subject="second")), sink, Idleness(60))
    assert [one.mail.subject for one in answers(sink)] == ["Printer on fire", "second"]
    assert all(isinstance(one, ReadMail) for one in answers(sink)) and callable(main)


def test_a_mistake_is_answered_with_its_trace_and_the_next_mail_is_read(monkeypatch):
    sink, calls = io.BytesIO(), []

    def fail_once(raw):
        calls.append(raw)
        if len(calls) == 1:
            raise ZeroDivisionError("a mistake")
        return "read"

    monkeypatch.setattr("portal.services.mail_reader_child.read_here", fail_once)
    serve(frames(b"one", b"two"), sink, Idleness(60))
    failed, read = answers(sink)
    assert "ZeroDivisionError: a mistake" in failed and read == "read"


def test_idleness_counts_from_the_last_answer():
    idleness = Idleness(-1)
    assert idleness.is_over()
    idleness.mark(busy=True)
    assert not idleness.is_over()
    idleness.mark(busy=False)
    assert idleness.is_over() and not Idleness(60).is_over()
