"""Who is told, from the file that the settings name. Only a file can say so: it names where secrets are."""

from __future__ import annotations

from tft_dash.alerting.files import WatchedFile
from tft_dash.alerts.delivery.receivers import Receiver, parse_receivers
from tft_dash.errors import UnknownNameError, UsageError
from tft_dash.settings import Settings

NOBODY = (
    "Nobody is told of alerts: no file names receivers. Write one and point TFT_DASH_ALERT_RECEIVERS to it; "
    "the guide to alerts has an example."
)


class Receiving:
    """The receivers in force; the file is read anew when it changes.

    :raises TftDashError: the file cannot be read, or has mistakes.
    """

    def __init__(self, settings: Settings) -> None:
        self._file = WatchedFile(settings.alert_receivers, parse_receivers) if settings.alert_receivers else None
        if self._file is not None:
            self._file.read()

    def receivers(self) -> tuple[Receiver, ...]:
        """Those that are told now."""
        return () if self._file is None else self._file.read().receivers

    @property
    def problem(self) -> str:
        """What is wrong with the file as it is now; what it said before stays in force. "" = nothing."""
        return "" if self._file is None else self._file.problem

    def receiver(self, name: str) -> Receiver:
        """One of them, also one that is turned off.

        :raises UsageError: there is none, or none at all.
        """
        if self._file is None:
            raise UsageError(NOBODY)
        known = {one.name: one for one in self._file.read().spec.receivers}
        if name not in known:
            raise UnknownNameError("receiver", name, known)
        return known[name]

    @property
    def silences_note(self) -> str:
        """What people must know of silences where an Alertmanager is told; "" where none is."""
        names = [one.name for one in self.receivers() if one.is_alertmanager]
        if not names:
            return ""
        who = "The Alertmanager" if len(names) == 1 else "The Alertmanagers"
        return (
            f"{who} '{', '.join(names)}' {'has' if len(names) == 1 else 'have'} silences of "
            f"{'its' if len(names) == 1 else 'their'} own and is told of every alert: silence there what is told "
            "from there. A silence made here holds for the other receivers."
        )
