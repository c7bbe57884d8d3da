"""For scripts and notebooks: the four names that the predecessor's guide used."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from tft_dash.drills import make_drill
from tft_dash.errors import UsageError
from tft_dash.hosting import check_address
from tft_dash.scenarios.library import load_scenario
from tft_dash.services import Services
from tft_dash.settings import load_settings
from tft_dash.sources.cursor import DataSource

INLINE_HEIGHT: Final = 980


def generate_demo_dataset(
    output_dir: str | Path = "./demo_data/",
    *,
    duration_min: float | None = None,
    fleet_size: int | None = None,
    seed: int | None = None,
    scenario: str = "degrading",
    regenerate: bool = False,
) -> Path:
    """Make a drill unless it is there, and return the path of its Parquet file.

    :raises DocumentError: the shape asked for is impossible.
    :raises StorageError: ``output_dir`` cannot be written.
    """
    document = load_scenario(scenario).with_overrides(
        duration_seconds=None if duration_min is None else duration_min * 60, fleet_size=fleet_size, seed=seed
    )
    return make_drill(document, Path(output_dir), regenerate=regenerate)[0]


def run_dashboard(
    data_path: str | Path = "./demo_data/demo_dataset.parquet", refresh_sec: float = 5, port: int | None = None
) -> None:
    """Serve a recording on the loopback: inline in Jupyter, else until interrupted.

    :raises SourceMissingError: there is no such file.
    :raises StorageError: the port is taken.
    """
    LiveDashboard(DataSource(data_path), refresh_sec=refresh_sec, port=port).run()


class LiveDashboard:
    """The live monitor over one recording.

    :param refresh_sec: seconds between ticks.
    :param port: where to listen; the setting by default.
    """

    def __init__(self, data_source: DataSource, refresh_sec: float = 5, port: int | None = None) -> None:
        if not isinstance(data_source, DataSource):
            raise UsageError(f"LiveDashboard shows a DataSource, not a {type(data_source).__name__}.")
        flags = {"sources": (str(data_source.path),), "refresh": refresh_sec, "port": port}
        self.settings = load_settings(flags)

    def run(self) -> None:
        """Show it: inline in Jupyter, where the call returns; else until interrupted."""
        from tft_dash.app import create_app  # noqa: PLC0415 - a script that only makes data needs no Dash

        check_address(self.settings)
        app = create_app(Services(self.settings))
        options: dict[str, Any] = {"host": self.settings.host, "port": self.settings.port, "use_reloader": False}
        if _in_jupyter():
            options |= {"jupyter_mode": "inline", "jupyter_height": INLINE_HEIGHT}
        app.run(**options)


def _in_jupyter() -> bool:
    try:
        from IPython import get_ipython  # noqa: PLC0415 - there only where a notebook is
    except ImportError:
        return False
    shell = get_ipython()
    return shell is not None and "IPKernelApp" in shell.config
