"""What the program knows about itself stands in the docs as it is now."""

import pytest

from tools.make_docs import PAGES, ROOT


@pytest.mark.parametrize("name", PAGES)
def test_generated_docs_are_fresh(name):
    written = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert written == PAGES[name](), f"docs/{name} is stale: run `make docs`"


def test_every_setting_of_the_environment_is_documented():
    from portal.config import documented

    text = (ROOT / "docs" / "config.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name, _, _ in documented())
