import pytest
import structlog
from sqlalchemy.exc import OperationalError

from portal.web import state
from portal.web.feeds import reading


def test_every_line_of_a_request_carries_its_id_and_never_the_path(web):
    seen = []

    @web.app.after_request
    def look(response):
        seen.append(structlog.contextvars.get_contextvars())
        return response

    web.anonymous().get("/link/secret-token", status=404)
    web.anonymous().get("/healthz")
    assert [bound["endpoint"] for bound in seen] == ["auth.use_link", "system.healthz"]
    assert seen[0]["request"] != seen[1]["request"]
    assert "secret-token" not in str(seen)


@pytest.mark.parametrize("is_database", [False, True])
def test_a_failure_is_logged_without_the_path(web, monkeypatch, caplog, capsys, is_database):
    def fail(*arguments, **keywords):
        raise OperationalError("SELECT", {}, OSError("gone")) if is_database else ValueError("broken")

    monkeypatch.setattr(reading, "open_feed", fail)
    if is_database:
        monkeypatch.setattr(state, "site", fail)
    web.app.testing = False
    answer = web.app.test_client().get("/feeds/secret-token.ics")
    assert answer.status_code == 500 and "noted in the log" in answer.text
    logged = caplog.text + capsys.readouterr().out
    assert "a request failed" in logged and "secret-token" not in logged
