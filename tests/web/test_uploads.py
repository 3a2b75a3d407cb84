"""Files between the browser and us."""

import pytest
from flask import Blueprint

from portal.core.errors import DomainError
from portal.web.uploads import LARGEST_POST, download, read_uploads, sent_names, take_large_posts
from tests.web.form_pages import photo


def post(web, **data):
    return web.app.test_request_context("/", method="POST", data=data, content_type="multipart/form-data")


def test_empty_choices_are_left_out(web):
    with post(web, files=[photo(""), photo("a/b.png")], other=[photo()]):
        (upload,) = read_uploads("files")
        assert (upload.filename, upload.content_type, upload.data) == ("b.png", "image/heic", b"ppppp")
        assert "sha256" in vars(upload), "hashed before the transaction"


def test_a_large_file_is_refused_before_it_is_read(web, monkeypatch):
    monkeypatch.setattr("portal.core.uploads.MAX_FILE_BYTES", 4)
    with post(web, files=[photo()]):
        with pytest.raises(DomainError, match="a file may have up to"):
            read_uploads("files")
        assert sent_names("files") == ["IMG_0042.HEIC"]


@pytest.mark.parametrize(
    ("name", "header"),
    [
        ("Ärger.pdf", "attachment; filename=\"_rger.pdf\"; filename*=UTF-8''%C3%84rger.pdf"),
        ('a"\r\nX: y.html', "attachment; filename=\"a_X_ y.html\"; filename*=UTF-8''a_X_%20y.html"),
    ],
)
def test_a_download_can_do_no_harm(web, name, header):
    with web.app.test_request_context("/"):
        response = download(name, 3, [b"a", b"bc"])
        assert response.headers["Content-Disposition"] == header
        assert (response.headers["Content-Length"], response.get_data()) == ("3", b"abc")
        assert response.mimetype == "application/octet-stream"


def test_an_area_may_take_larger_posts():
    area = Blueprint("area", __name__)
    take_large_posts(area)
    assert area.url_value_preprocessors and area.error_handler_spec
    assert LARGEST_POST > 50_000_000
