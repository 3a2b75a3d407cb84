from datetime import datetime

import pytest
import yaml

from portal.core.site_file_nodes import Key, Kind, Shape, read_node


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [("a", Kind.TEXT, "a"), ("", Kind.TEXT, ""), ("-3", Kind.NUMBER, -3), ("off", Kind.FLAG, False), ("[a, b]", Kind.TEXTS, ["a", "b"])],  # noqa: E501
)  # fmt: skip
def test_a_node_is_read_as_its_kind(text, kind, value):
    faults = []
    node = yaml.compose(f"x: {text}").value[0][1]
    assert read_node(node, Shape(kind), faults=faults) == value
    assert faults == []


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-21 17:00", (2026, 11, 21, 17)),
        ("2026-11-21T7:05", (2026, 11, 21, 7, 5)),
        ("2026-11-21 17:00:00", (2026, 11, 21, 17)),  # as PyYAML writes a datetime
        ("2026-12-31 24:00:00", (2027, 1, 1)),
    ],
)
def test_a_moment_is_read_to_the_minute(text, moment):
    faults = []
    node = yaml.compose(f"x: {text}").value[0][1]
    assert read_node(node, Shape(Kind.MOMENT), faults=faults) == datetime(*moment)
    for wrong in (f"{text}:30", f"{text}Z"):
        read_node(yaml.compose(f"x: {wrong}").value[0][1], Shape(Kind.MOMENT), faults=faults)
    assert len(faults) == 2


def test_a_key_with_a_list_as_default_gets_a_fresh_one_each_time():
    shape = Shape(Kind.MAP, (Key("phones", Kind.TEXTS, "", default=()),))
    first, second = (read_node(yaml.compose("{}"), shape, faults=[]) for _ in range(2))
    assert first == {"phones": []} and first["phones"] is not second["phones"]
