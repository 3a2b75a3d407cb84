"""The environment: a wrong value is named, an unknown one too, and `.env` is read."""

from pathlib import Path

import pytest

from portal.config import Config, ConfigError, documented, load_config


def refusal(environ):
    with pytest.raises(ConfigError) as refused:
        load_config(environ)
    return str(refused.value)


def test_without_anything_the_defaults_hold():
    config = load_config({})
    assert (config.host, config.port, config.env, config.is_testing) == ("127.0.0.1", 8060, "production", False)
    assert config.database == f"sqlite:///{(config.data_dir / 'nightdesk.sqlite3').as_posix()}"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("NIGHTDESK_PORT", "80a"), ("NIGHTDESK_PORT", "65536"), ("NIGHTDESK_PORT", "-1"), ("NIGHTDESK_ENV", "prod"),
        ("NIGHTDESK_QUEUE", "celery"), ("NIGHTDESK_SITE_URL", "help.example.com"),
        ("NIGHTDESK_SITE_URL", "https://x/?q"), ("NIGHTDESK_DATABASE_URL", "mysql://x"),
        ("NIGHTDESK_REDIS_URL", "http://x"), ("NIGHTDESK_PATH_PREFIX", "help"), ("NIGHTDESK_PATH_PREFIX", "/help/"),
        ("NIGHTDESK_WEB_PROCESSES", "0"), ("NIGHTDESK_LOG_LEVEL", "loud"),
    ],
)  # fmt: skip
def test_a_wrong_value_is_named_in_one_sentence(name, value):
    said = refusal({name: value})
    assert said.startswith(f"{name} must ") and "\n" not in said


def test_every_wrong_value_and_every_unknown_name_is_named_at_once():
    said = refusal({"NIGHTDESK_PORT": "x", "NIGHTDESK_PROT": "1", "NIGHTDESK_ENV": "x", "HOME": "/"})
    assert [line.split()[0] for line in said.split("\n")] == ["NIGHTDESK_ENV", "NIGHTDESK_PORT", "NIGHTDESK_PROT"]


def test_empty_values_count_as_unset_and_names_of_the_tests_are_left_alone():
    assert load_config({"NIGHTDESK_PORT": " ", "NIGHTDESK_TEST_REQUIRE": "all"}) == load_config({})


def test_values_are_read_and_addresses_tidied():
    environ = {
        "NIGHTDESK_SITE_URL": "https://help.example.com/desk/", "NIGHTDESK_DATABASE_URL": "postgresql://u@h/d",
        "NIGHTDESK_PORT": "0", "NIGHTDESK_DATA_DIR": "somewhere",
    }  # fmt: skip
    config = load_config(environ)
    assert config.site_url == "https://help.example.com/desk"
    assert config.database == "postgresql+psycopg://u@h/d"
    assert (config.port, config.data_dir) == (0, Path("somewhere"))


def test_dotenv_is_read_and_the_environment_wins(tmp_path):
    dotenv = tmp_path / ".env"
    dotenv.write_text("NIGHTDESK_PORT=1234\nNIGHTDESK_HOST=0.0.0.0\nOTHER=x\n")
    config = load_config({"NIGHTDESK_PORT": "99"}, dotenv=dotenv)
    assert (config.port, config.host) == (99, "0.0.0.0")
    dotenv.write_text("NIGHTDESK_PRT=1\n")
    with pytest.raises(ConfigError, match="NIGHTDESK_PRT is not a setting"):
        load_config({}, dotenv=dotenv)


def test_every_setting_is_documented():
    rows = documented()
    assert len(rows) == len(Config.__dataclass_fields__)
    assert all(words for _, _, words in rows)
