"""Times, sizes and text as people read them."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask, render_template_string

from portal.web import formats

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 21, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (NOW, "02:10"),
        (NOW - timedelta(hours=3), "Fri 20 Nov, 23:10"),
        (datetime(2025, 7, 1, 10, tzinfo=UTC), "1 Jul 2025, 12:00"),
    ],
)
def test_a_time_is_as_short_as_it_can_be_in_the_zone_of_the_site(at: datetime, text: str):
    assert formats.format_time(at, BERLIN, NOW) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (10, "just now"),
        (60, "1 min ago"),
        (3599, "60 min ago"),
        (7200, "2 h ago"),
        (259_200, "3 days ago"),
        (-300, "in 5 min"),
    ],
)
def test_an_age_is_told_in_one_unit(seconds: int, text: str):
    assert formats.format_ago(NOW - timedelta(seconds=seconds), NOW) == text


@pytest.mark.parametrize(("size", "text"), [(0, "0 B"), (999, "999 B"), (1000, "1 KB"), (1_250_000, "1.2 MB")])
def test_sizes_are_round(size: int, text: str):
    assert formats.format_size(size) == text


def test_a_day_of_another_year_shows_the_year():
    assert formats.format_day(date(2027, 1, 1), date(2026, 11, 21)) == "1 Jan 2027"


def test_paragraphs_are_escaped_and_addresses_become_links():
    html = formats.format_paragraphs("<b>Hi</b>\r\nsee https://a.example/x?y=1&z=2.\r\n\r\nBye\n")
    assert html == (
        "<p>&lt;b&gt;Hi&lt;/b&gt;<br>\nsee "
        '<a href="https://a.example/x?y=1&amp;z=2" rel="noreferrer noopener nofollow">https://a.example/x?y=1&amp;z=2</a>.</p>'
        "\n<p>Bye</p>"
    )


def test_the_filters_take_nothing_for_an_answer():
    app = Flask(__name__)
    formats.register(app, zone=lambda: BERLIN, now=lambda: NOW)
    with app.app_context():
        assert render_template_string("{{ x|when }}{{ x|ago }}{{ x|day }}{{ x|clock }}", x=None) == ""


def test_the_exact_time_stands_behind_the_short_one():
    app = Flask(__name__)
    formats.register(app, zone=lambda: BERLIN, now=lambda: NOW)
    with app.app_context():
        html = render_template_string("{{ x|when }} {{ x|ago }} {{ x|day }} {{ x|clock }}", x=NOW)
    assert '<time datetime="2026-11-21T01:10:00Z" title="Saturday 21 November 2026, 02:10:00 CET">02:10</time>' in html
    assert html.endswith("Sat 21 Nov 02:10")
