"""HTML of other people made safe to show (nh3). Pictures come from the mail itself or not at all."""

from __future__ import annotations

import nh3

_TAGS = nh3.ALLOWED_TAGS - {"map", "area", "style"}
_ATTRIBUTES = {
    **{tag: set(names) for tag, names in nh3.ALLOWED_ATTRIBUTES.items() if tag != "img"},
    "img": {"src", "alt", "width", "height"},
}


def sanitize_html(html: str) -> str:
    """Without scripts, styles, forms and frames; links open apart and give nothing away; of pictures only `cid:`
    ones (parts of the same mail) keep their source: a remote one would tell the sender that it was read."""
    if not html:
        return ""
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_keep,
        url_schemes={"http", "https", "mailto", "tel", "cid"},
        link_rel="noopener noreferrer nofollow",
    )


def _keep(tag: str, attribute: str, value: str) -> str | None:
    if tag == "img" and attribute == "src":
        return value if value.lower().startswith("cid:") else None
    if attribute == "href" and value.lower().startswith("cid:"):
        return None
    return value
