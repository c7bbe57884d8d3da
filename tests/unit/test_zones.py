"""Zones: by name, and by whose clocks the days of fleets run."""

from __future__ import annotations

from datetime import UTC

import numpy as np
import pytest

from tft_dash.errors import SettingError
from tft_dash.settings import load_settings
from tft_dash.zones import FleetZones, minutes_ahead, zone_of


@pytest.mark.parametrize(
    ("name", "january", "july"),
    [("UTC", 0, 0), ("z", 0, 0), ("+05:30", 330, 330), ("-0330", -210, -210), ("Europe/Berlin", 60, 120),
     ("Australia/Lord_Howe", 660, 630)],
)  # fmt: skip
def test_a_clock_is_ahead_by_so_many_minutes_at_a_time(name: str, january: int, july: int) -> None:
    times = np.array(["2026-01-15T12:00", "2026-07-15T12:00"], "datetime64[ms]").astype(np.int64)
    assert minutes_ahead(times, zone_of(name)).tolist() == [january, july]


def test_it_changes_at_the_very_minute_and_order_does_not_matter() -> None:
    times = np.array(["2026-03-29T01:00", "2026-03-29T00:59:59.999", "1969-12-31T23:59"], "datetime64[ms]")
    assert minutes_ahead(times.astype(np.int64), zone_of("Europe/Berlin")).tolist() == [120, 60, 60]
    assert minutes_ahead(np.zeros(0, np.int64), UTC).tolist() == []


@pytest.mark.parametrize("name", ["", "Nowhere/Town", "+25:00", "../etc/passwd", "Europe/Berlin ", "=", "x" * 300])
def test_what_is_no_zone_is_told(name: str) -> None:
    with pytest.raises(ValueError, match="no zone"):
        zone_of(name)


def test_a_source_has_its_own_zone_or_that_of_all_and_a_drill_none() -> None:
    zones = FleetZones(("Europe/Berlin", "tokyo=Asia/Tokyo", "here=utc"))
    assert zones.of("fleet", simulated=False) == "Europe/Berlin"
    assert zones.of("tokyo", simulated=False) == "Asia/Tokyo"
    assert zones.of("here", simulated=False) == ""
    assert zones.of("tokyo", simulated=True) == ""
    assert FleetZones().of("fleet", simulated=False) == ""


@pytest.mark.parametrize("words", ["Nowhere/Town", "a=+02:00 a=UTC", "UTC +02:00", "a="])
def test_a_setting_that_cannot_be_is_told(words: str) -> None:
    with pytest.raises(SettingError, match=r"TFT_DASH_FLEET_ZONES.*Europe/Berlin"):
        load_settings({}, environ={"TFT_DASH_FLEET_ZONES": words})
