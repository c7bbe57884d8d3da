"""Settings: flag, environment, file, default, in this order."""

from pathlib import Path

import pytest

from tft_dash.errors import SettingError
from tft_dash.settings import SETTINGS, load_settings


def test_a_flag_wins_over_the_environment_over_the_file_over_the_default(tmp_path: Path) -> None:
    (tmp_path / "tft_dash.toml").write_text("port = 1001\nrefresh = 2\nworkers = 3\n")
    environ = {"TFT_DASH_PORT": "1002", "TFT_DASH_REFRESH": "4"}
    settings = load_settings({"port": 1003, "refresh": None}, environ=environ, folder=tmp_path)
    assert (settings.port, settings.refresh, settings.workers, settings.threads) == (1003, 4.0, 3, 32)
    assert settings.origin["port"] == "flag"
    assert settings.origin["refresh"] == "environment"
    assert settings.origin["workers"] == str(tmp_path / "tft_dash.toml")
    assert settings.origin["threads"] == "default"


def test_sources_are_separated_by_spaces_or_listed_in_the_file(tmp_path: Path) -> None:
    assert load_settings(environ={"TFT_DASH_SOURCES": "a.csv b=c.parquet"}, folder=tmp_path).sources == (
        "a.csv", "b=c.parquet",
    )  # fmt: skip
    (tmp_path / "tft_dash.toml").write_text('sources = ["with space.csv"]')
    assert load_settings(environ={}, folder=tmp_path).sources == ("with space.csv",)


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TFT_DASH_PORT", "80a"),
        ("TFT_DASH_PORT", "70000"),
        ("TFT_DASH_PORT", "80.5"),
        ("TFT_DASH_REFRESH", "nan"),
        ("TFT_DASH_REFRESH", "-1"),
        ("TFT_DASH_WORKERS", "0"),
        ("TFT_DASH_INSECURE_PUBLIC", "perhaps"),
        ("TFT_DASH_BASE_PATH", "/a?b"),
    ],
)
def test_an_impossible_value_is_named_with_its_variable(variable: str, value: str, tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=variable) as caught:
        load_settings(environ={variable: value}, folder=tmp_path)
    assert value in str(caught.value)


@pytest.mark.parametrize(("given", "path"), [("", "/"), ("/", "/"), ("fleet", "/fleet/"), ("/a/b/", "/a/b/")])
def test_a_base_path_begins_and_ends_with_a_slash(given: str, path: str, tmp_path: Path) -> None:
    assert load_settings({"base_path": given}, environ={}, folder=tmp_path).base_path == path


def test_an_unknown_key_in_the_file_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "tft_dash.toml").write_text("prot = 1\n")
    with pytest.raises(SettingError, match="Did you mean 'port'"):
        load_settings(environ={}, folder=tmp_path)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "tft_dash.toml").write_text("port = = 1")
    with pytest.raises(SettingError, match="not valid TOML"):
        load_settings(environ={}, folder=tmp_path)


def test_a_misspelt_variable_is_reported(tmp_path: Path) -> None:
    assert load_settings(environ={"TFT_DASH_PROT": "1"}, folder=tmp_path).unknown == ("TFT_DASH_PROT",)


def test_every_setting_is_listed_with_its_value_and_origin(tmp_path: Path) -> None:
    rows = list(load_settings(environ={"TFT_DASH_PORT": "9000"}, folder=tmp_path).rows())
    assert [row[0] for row in rows] == [setting.variable for setting in SETTINGS]
    assert ("TFT_DASH_PORT", "9000", "environment") in rows
