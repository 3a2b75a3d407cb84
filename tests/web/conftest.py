"""The portal over a fresh database, and people to sign in as."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from types import CodeType, SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from flask import has_request_context
from flask.testing import FlaskClient
from jinja2.bccache import Bucket, BytecodeCache
from werkzeug.routing import Rule

from portal.app import create_app
from portal.config import Config
from portal.integrations.system.keyfile import KeyFileBox
from portal.models import Database, User
from portal.services.context import Context
from tests.services.fake_sms import FakeSms

NOW = datetime(2026, 11, 21, 2, 10, tzinfo=UTC)
ROLES = {"alice": "admin", "bob": "technician", "carol": "manager", "vera": "viewer"}


class StillClock:
    """Stands until a test moves it."""

    def __init__(self) -> None:
        self.at = NOW

    def now(self) -> datetime:
        return self.at

    def lease_now(self) -> datetime:
        return self.at

    def may_take_over(self) -> bool:
        return True

    def pass_by(self, **span: float) -> None:
        self.at += timedelta(**span)


class CountingRandom:
    """Tokens that differ, and no surprise."""

    def __init__(self) -> None:
        self.count = 0

    def token(self, size: int) -> bytes:
        self.count += 1
        return self.count.to_bytes(size, "big")

    def jitter(self) -> float:
        return 0.5


class RecordingQueue:
    """Remembers what was woken."""

    def __init__(self) -> None:
        self.woken: list[str] = []

    def wake(self, kind: str) -> None:
        self.woken.append(kind)

    def is_empty(self, kind: str) -> bool:
        return kind not in self.woken


class Page:
    """An answer, read as HTML."""

    def __init__(self, response) -> None:
        self.response = response
        self.status = response.status_code

    @cached_property
    def soup(self) -> BeautifulSoup:
        """Parsed when it is first looked at: many answers are not, and a year of days takes a tenth of a second."""
        return BeautifulSoup(self.response.get_data(as_text=True), "html.parser")

    @cached_property
    def text(self) -> str:
        return " ".join(self.soup.get_text(" ").split())

    def one(self, selector: str):
        # What stands in a template is not on the page.
        found = [tag for tag in self.soup.select(selector) if tag.find_parent("template") is None]
        assert len(found) == 1, f"{len(found)} of {selector!r} in {self.text[:500]}"
        return found[0]


class Browser:
    """A person without JavaScript: opens pages, fills forms. `htmx=True` asks as htmx would."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, path: str, *, htmx: bool = False, status: int = 200, **kwargs) -> Page:
        headers = {"HX-Request": "true"} if htmx else {}
        page = Page(self.client.get(path, headers=headers, **kwargs))
        assert page.status == status, f"{path}: {page.status} {page.text[:400]}"
        return page

    def post(
        self, path: str, data=None, *, htmx: bool = False, status: int | tuple[int, ...] = (200, 204, 303)
    ) -> Page:
        headers = {"HX-Request": "true"} if htmx else {}
        page = Page(self.client.post(path, data=data or {}, headers=headers, content_type="multipart/form-data"))
        wanted = status if isinstance(status, tuple) else (status,)
        assert page.status in wanted, f"{path}: {page.status} {page.text[:400]}"
        return page

    def follow(self, page: Page) -> Page:
        """The page a 303 points to."""
        return self.get(page.response.headers["Location"])


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def sms() -> FakeSms:
    return FakeSms()


class KeptTemplates(BytecodeCache):
    """Each template is compiled once a process, not once an app: that took nearly half the time of these tests."""

    def __init__(self) -> None:
        self._code: dict[str, CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._code.get(bucket.key)

    def dump_bytecode(self, bucket: Bucket) -> None:
        self._code[bucket.key] = bucket.code


templates = KeptTemplates()


_builders: dict[object, object] = {}


@pytest.fixture(autouse=True)
def _addresses_on_demand(monkeypatch):
    """An app compiles two functions for each of its two hundred addresses; here each once, when it is asked for."""
    compile_builder = Rule._compile_builder

    def later(rule: Rule, append_unknown: bool = True):
        key = rule.rule, str(rule.defaults), append_unknown

        def build(self, **values):
            if key not in _builders:
                _builders[key] = compile_builder(rule, append_unknown)
            return _builders[key](self, **values)

        return build

    monkeypatch.setattr(Rule, "_compile_builder", later)


@pytest.fixture
def web(tmp_path, database: Database, clock: StillClock, sms: FakeSms) -> Iterator[SimpleNamespace]:
    """The app without CSRF (its own tests switch it on), the world around it, and `as_("bob")`, `anonymous()`.

    Alice and Bob come with the database; Carol (manager) and Vera (viewer) are added.
    """

    def ask_provider() -> FakeSms:
        assert not has_request_context(), "a web request asked the provider"
        return sms

    queue = RecordingQueue()
    database.wake = queue.wake
    config = Config(data_dir=tmp_path, env="testing", queue="polled", site_url="https://help.acme.example")
    context = Context(
        database=database, clock=clock, random=CountingRandom(), box=KeyFileBox(b"k" * 32), queue=queue,
        sms=ask_provider, mail=None, data_dir=tmp_path, site_url=config.site_url,
    )  # fmt: skip
    with database.unit_of_work() as uow:
        for name in ("carol", "vera"):
            email = f"{name}@a.example"
            uow.session.add(User(email=email, name=name.title(), role=ROLES[name], created_at=NOW))
    app = create_app(config, context)
    app.jinja_env.bytecode_cache = templates
    app.config.update(WTF_CSRF_ENABLED=False, SESSION_COOKIE_SECURE=False, TESTING=True)
    app.config["PROPAGATE_EXCEPTIONS"] = False

    def as_(name: str) -> Browser:
        client = app.test_client()
        with database.read_session() as session:
            user = session.query(User).filter_by(email=f"{name}@a.example").one()
        with client.session_transaction() as cookie:
            cookie["_user_id"] = f"{user.id}.{user.session_epoch}"
            cookie["_fresh"] = True
        return Browser(client)

    return SimpleNamespace(
        app=app, context=context, config=config, database=database, clock=clock, queue=queue, sms=sms, as_=as_,
        anonymous=lambda: Browser(app.test_client()),
    )  # fmt: skip
