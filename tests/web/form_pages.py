"""A shop that is open on weekdays from 8 to 17, and the fields that Dana fills in."""

from __future__ import annotations

import json
from io import BytesIO

from werkzeug.datastructures import FileStorage
from werkzeug.test import encode_multipart

from portal.models import BusinessPeriod, HolidayRow, SettingRow, Ticket
from tests.web.conftest import Page

DANA = {
    "key": "k1", "subject": "Nobody can print", "body": "Since this morning", "name": "Dana Reed",
    "email": "dana@customer.example", "phone": "+49 30 1234", "department": "Sales", "device": "PC-117",
    "remember": "y",
}  # fmt: skip


def open_on_weekdays(web):
    with web.database.unit_of_work() as uow:
        uow.session.add_all(BusinessPeriod(weekday=day, opens=480, closes=1020) for day in range(5))


def close_on(web, day, name):
    with web.database.unit_of_work() as uow:
        uow.session.add(HolidayRow(observed_on=day, name=name, state="accepted"))


def set_up(web, **settings):
    """`form__price="120"` is the setting `form.price`."""
    with web.database.unit_of_work() as uow:
        for key, value in settings.items():
            uow.session.merge(SettingRow(key=key.replace("__", "."), value=json.dumps(value)))


def photo(name="IMG_0042.HEIC", size=5):
    return (BytesIO(b"p" * size), name, "image/heic")


def tickets(web):
    with web.database.read_session() as session:
        return session.query(Ticket).order_by(Ticket.id).all()


def send(web, browser=None, **changes):
    """Send the form as a person would; returns the path of the answer page."""
    page = (browser or web.anonymous()).post("/", {**DANA, **changes}, status=303)
    return page.response.headers["Location"]


def mark_of(location):
    return location.rsplit("/", 1)[1]


def post_large(browser, path, fields, name, size):
    """Send a form with a file of any size; the test client's own way leaves temporary files open."""
    film = FileStorage(BytesIO(b"p" * size), name, "files", "video/quicktime")
    boundary, body = encode_multipart({**fields, "files": film})
    content_type = f"multipart/form-data; boundary={boundary}"
    return Page(browser.client.post(path, data=body, content_type=content_type))
