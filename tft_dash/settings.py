"""One frozen :class:`Settings`; the only reader of the environment.

A value comes from a flag, else from ``TFT_DASH_<NAME>``, else from ``tft_dash.toml``, else from its default.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from platformdirs import user_cache_path, user_data_path

from tft_dash.errors import SettingError, shorten
from tft_dash.zones import EXAMPLES, FleetZones

PREFIX: Final = "TFT_DASH_"
CONFIG_FILE: Final = "tft_dash.toml"
_SECRETS: Final = re.compile(
    r"(?<=:)//[^\s/@]*:[^\s]*@|(?<!abfs:)(?<!abfss:)(?<=:)//[^\s/@]+@|(?<=[?&])(?:sig|client_secret)=[^\s&]*",
    re.IGNORECASE,
)
"""What no page shows of a source's address: user and password, and a signature. Azure's container is no secret."""


def _text(value: object) -> str:
    if isinstance(value, str):
        return value.strip()
    raise ValueError("expected text")


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return tuple(value.split())
    if isinstance(value, list | tuple) and all(isinstance(item, str) for item in value):
        return tuple(value)
    raise ValueError("expected names separated by spaces, or a list of texts")


def _path(value: object) -> Path:
    if isinstance(value, str | Path) and str(value):
        return Path(value).expanduser().absolute()
    raise ValueError("expected a folder")


def _number(low: float, high: float, kind: str = "number") -> Callable[[object], float]:
    expected = f"expected a {kind} from {low:,} to {high:,}"

    def parse(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError(expected)
        try:
            number = float(value)
        except (ValueError, OverflowError):
            raise ValueError(expected) from None
        if not low <= number <= high or (kind != "number" and not number.is_integer()):
            raise ValueError(expected)
        return number

    return parse


def _whole(low: int, high: int) -> Callable[[object], int]:
    number = _number(low, high, "whole number")

    def parse(value: object) -> int:
        return int(number(value))

    return parse


def _switch(value: object) -> bool:
    if isinstance(value, bool):
        return value
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if isinstance(value, str) and value.lower() in words:
        return words[value.lower()]
    raise ValueError("expected true or false")


def _base_path(value: object) -> str:
    path = "/" + _text(value).strip("/")
    if not path.isascii() or any(letter in path for letter in "?#\\ <>\"'"):
        raise ValueError("expected a path such as /fleet/")
    return path if path == "/" else path + "/"


def _address(value: object) -> str:
    text = _text(value)
    if not text or (text.startswith(("http://", "https://")) and not any(letter in text for letter in "?#@ <>\"'")):
        return text and text.rstrip("/") + "/"
    raise ValueError("expected an address such as https://monitor.example.com/fleet/")


def _zones(value: object) -> tuple[str, ...]:
    words = _words(value)
    try:
        FleetZones(words)
    except ValueError as error:
        raise ValueError(f"expected time zones ({EXAMPLES}), name=zone for a source of its own; {error}") from None
    return words


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table of settings.

    :param parse: turns text (or a TOML value) into the setting's value; raises ValueError saying what it expects.
    :param secret: whether ``tft-dash settings`` masks it.
    """

    name: str
    parse: Callable[[object], Any]
    default: Callable[[], Any]
    help: str
    secret: bool = False

    @property
    def variable(self) -> str:
        """The environment variable."""
        return PREFIX + self.name.upper()


SETTINGS: Final[tuple[Setting, ...]] = (
    Setting("sources", _words, tuple, "The sources served, separated by spaces; name=path gives one a name."),
    Setting("model", _text, str, "The risk model a page starts with; empty = the best that the source allows."),
    Setting("fleet_zones", _zones, tuple, "By whose clock the fleets' days run, or name=zone for one; empty = UTC."),
    Setting("data", _path, lambda: user_data_path("tft_dash"), "Where drills and uploads are written."),
    Setting("cache", _path, lambda: user_cache_path("tft_dash"), "Cubes and assessments; may be deleted at any time."),
    Setting("store", _text, str, "SQLAlchemy URL of the store; empty = SQLite in the data folder.", secret=True),
    Setting("base_path", _base_path, lambda: "/", "Sub-path behind a proxy."),
    Setting("refresh", _number(0.1, 3600), lambda: 5.0, "Seconds between ticks on the page at speed 1."),
    Setting("host", _text, lambda: "127.0.0.1", "Address to listen on."),
    Setting("port", _whole(0, 65535), lambda: 8050, "Port to listen on; 0 = any free one."),
    Setting("workers", _whole(1, 64), lambda: 2, "Worker processes."),
    Setting("threads", _whole(8, 256), lambda: 32, "Threads of a worker; browsers hold idle connections open."),
    Setting("run_rows", _whole(1, 50_000_000), lambda: 5_000_000, "Rows (servers × ticks) that a run may make."),
    Setting("runs_at_once", _whole(1, 16), lambda: 2, "Runs that are made at a time; further ones wait in a queue."),
    Setting("disk_gb", _number(0.01, 100_000), lambda: 20.0, "Room for generated recordings and uploads, in GB."),
    Setting("keep_days", _number(0.01, 3650), lambda: 30.0, "Days that a generated recording is kept unwatched."),
    Setting("upload_mb", _whole(1, 1_000_000), lambda: 1024, "Largest file that can be uploaded, in MB."),
    Setting("collect", _switch, lambda: True, "Whether serve collects live sources itself when nobody else does."),
    Setting("live_backfill_hours", _number(0, 8784), lambda: 24.0, "How far back missed ticks are recorded."),
    Setting("live_forget_hours", _number(0, 8784), lambda: 24.0, "Silence after which a server leaves its fleet."),
    Setting("live_raw_hours", _number(0.1, 87_840), lambda: 48.0, "Hours that every tick is kept; then one in 5 min."),
    Setting("live_keep_days", _number(0.01, 3660), lambda: 90.0, "Days that the history of live sources is kept."),
    Setting("live_gb", _number(0.01, 100_000), lambda: 20.0, "Room for that history, in GB; the oldest goes first."),
    Setting("alert_rules", _text, str, "File of alert rules; empty = as saved on the page, else the usual ones."),
    Setting("alert_dependencies", _text, str, "File that says which profiles depend on which; empty = not known."),
    Setting("alert_receivers", _text, str, "File that says who is told of alerts; empty = nobody."),
    Setting("public_url", _address, str, "Address of the pages as people reach them, for links in what is told."),
    Setting("push_token", _text, str, "Tokens for pushing samples to any source, separated by spaces.", secret=True),
    Setting("push_token_file", _text, str, "A file with such tokens, one a line; it is read anew each time."),
    Setting("push_mb", _whole(1, 1000), lambda: 8, "Largest body with pushed samples, unpacked, in MB."),
    Setting("push_rows", _whole(1, 1_000_000), lambda: 50_000, "Rows that can be pushed in one request."),
    Setting("push_rate", _whole(1, 10_000_000), lambda: 10_000, "Rows a second that can be pushed to a source."),
    Setting("push_keep_hours", _number(0.1, 8784), lambda: 24.0, "Hours that pushed samples wait to be collected."),
    Setting("push_gb", _number(0.001, 100_000), lambda: 2.0, "Room for pushed samples that wait, in GB."),
    Setting("object_cache_gb", _number(0.001, 100_000), lambda: 20.0, "Room for copies from object stores, in GB."),
    Setting("object_look", _number(1, 86_400), lambda: 30.0, "Seconds between two looks at an object store."),
    Setting("drift_days", _number(0.25, 3650), lambda: 7.0, "Days of a fleet's time over which forecasts are judged."),
    Setting("drift_least", _whole(1, 1_000_000), lambda: 100, "Judged forecasts that a verdict on drift needs."),
    Setting("insecure_public", _switch, lambda: False, "Serve other addresses than the loopback without a login."),
)
SETTING: Final[Mapping[str, Setting]] = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its value; see :data:`SETTINGS` for what each means.

    :param origin: setting name → ``"flag"``, ``"environment"``, the file's path, or ``"default"``.
    :param unknown: ``TFT_DASH_*`` variables that are no setting; most likely misspelt.
    """

    sources: tuple[str, ...]
    model: str
    fleet_zones: tuple[str, ...]
    data: Path
    cache: Path
    store: str
    base_path: str
    refresh: float
    host: str
    port: int
    workers: int
    threads: int
    run_rows: int
    runs_at_once: int
    disk_gb: float
    keep_days: float
    upload_mb: int
    collect: bool
    live_backfill_hours: float
    live_forget_hours: float
    live_raw_hours: float
    live_keep_days: float
    live_gb: float
    alert_rules: str
    alert_dependencies: str
    alert_receivers: str
    public_url: str
    push_token: str
    push_token_file: str
    push_mb: int
    push_rows: int
    push_rate: int
    push_keep_hours: float
    push_gb: float
    object_cache_gb: float
    object_look: float
    drift_days: float
    drift_least: int
    insecure_public: bool
    origin: Mapping[str, str] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()

    def rows(self) -> Iterator[tuple[str, str, str]]:
        """``(variable, value, origin)`` of every setting, secrets masked."""
        for setting in SETTINGS:
            value = getattr(self, setting.name)
            shown = _SECRETS.sub(_masked, " ".join(value)) if isinstance(value, tuple) else str(value)
            masked = "********" if setting.secret and shown else shown
            yield setting.variable, masked, self.origin.get(setting.name, "default")


def load_settings(
    flags: Mapping[str, object] | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Settings:
    """The settings in force.

    :param flags: values given on the command line by setting name; None = not given.
    :param environ: stands in for the process's environment.
    :param folder: where ``tft_dash.toml`` is looked for; the working folder by default.
    :raises SettingError: a value is impossible, or the file is unreadable or names an unknown setting.
    """
    environ = os.environ if environ is None else environ
    path = (folder or Path.cwd()) / CONFIG_FILE
    filed = _read_file(path)
    values: dict[str, Any] = {}
    origin: dict[str, str] = {}
    for setting in SETTINGS:
        given = (flags or {}).get(setting.name)
        if given is not None:
            values[setting.name], origin[setting.name] = _parse(setting, given, "flag"), "flag"
        elif environ.get(setting.variable):
            raw = environ[setting.variable]
            values[setting.name], origin[setting.name] = _parse(setting, raw, setting.variable), "environment"
        elif setting.name in filed:
            values[setting.name] = _parse(setting, filed[setting.name], str(path))
            origin[setting.name] = str(path)
        else:
            values[setting.name], origin[setting.name] = setting.default(), "default"
    known = {setting.variable for setting in SETTINGS}
    unknown = tuple(sorted(name for name in environ if name.startswith(PREFIX) and name not in known))
    return Settings(**values, origin=origin, unknown=unknown)


def _masked(found: re.Match[str]) -> str:
    return "//***@" if found[0].startswith("//") else f"{found[0].partition('=')[0]}=***"


def _parse(setting: Setting, raw: object, where: str) -> Any:  # noqa: ANN401 - each row has its own type
    try:
        return setting.parse(raw)
    except ValueError as error:
        raise SettingError(f"{where}: {setting.name} is {shorten(str(raw))!r}; {error}. {setting.help}") from None


def _read_file(path: Path) -> dict[str, object]:
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} cannot be read ({error}). Mend it or remove it.") from error
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingError(f"{path} is not valid TOML: {error}. Mend it or remove it.") from error
    for name in table:
        if name not in SETTING:
            near = difflib.get_close_matches(name, SETTING, n=1)
            guess = f" Did you mean '{near[0]}'?" if near else ""
            raise SettingError(f"{path}: there is no setting '{shorten(name)}'.{guess} Known: {', '.join(SETTING)}.")
    return table
