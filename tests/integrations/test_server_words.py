"""No server makes us show or log a password."""

import base64

import pytest

from portal.core.errors import GatewayError
from portal.integrations.imap.adapter import ImapMailbox, ImapSettings
from portal.integrations.server_words import words_of
from tests.integrations.imap.scripted import scripted_imap

SECRET = 'hunter2 "and\\more'


@pytest.mark.parametrize(
    "said",
    [
        f"LOGIN help {SECRET}",
        b'LOGIN help "hunter2 \\"and\\\\more"',
        base64.b64encode(f"\0help\0{SECRET}".encode()),
        Exception(base64.b64encode(SECRET.encode())),
    ],
)
def test_a_password_that_the_server_repeats_is_hidden(said):
    words = words_of(said, user="help", secret=SECRET)
    assert "(hidden)" in words and "hunter2" not in words


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (b"two\r\n lines", "two lines"),
        ("", "no reason given"),
        ("x" * 999, "x" * 200),
    ],
)
def test_words_are_short_and_on_one_line(said, words):
    assert words_of(said).startswith(words) and len(words_of(said)) <= 200


@pytest.mark.parametrize(
    "answer", ["$TAG NO no such login: {}\r\n", "$TAG BAD unknown: {}\r\n", "* BYE go away: {}\r\n", "what? {}\r\n"]
)
def test_a_login_refused_with_the_password_in_it_shows_none(answer):
    with scripted_imap() as server:
        server.answer = lambda command: answer.format(command).encode() if command.startswith("LOGIN") else None
        settings = ImapSettings("127.0.0.1", server.port, "help", "hunter2", security="plain", timeout=5.0)
        with pytest.raises(GatewayError) as caught:
            ImapMailbox(settings).count("INBOX")
        assert any("hunter2" in command for command in server.commands), "it was really said"
    assert "hunter2" not in str(caught.value) and "(hidden)" in str(caught.value)
