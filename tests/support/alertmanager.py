"""A private Alertmanager, from its Debian package, that tells a real receiver."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from support.receivers import Inbox, receiver
from support.scraping import Program
from support.serving import free_port

_CONFIGURATION = """
route: {{receiver: test, group_by: [alertname, server_name], group_wait: 0s, group_interval: 1s, repeat_interval: 12h}}
receivers: [{{name: test, webhook_configs: [{{url: "{url}/", send_resolved: true}}]}}]
"""


@dataclass
class Alertmanager:
    """A running one.

    :ivar inbox: what it has told.
    """

    url: str
    program: Program
    inbox: Inbox

    def told(self) -> list[tuple[str, str, str]]:
        """The alerts that it has told: name, server, status; in order."""
        alerts = [alert for got in self.inbox.got for alert in got.plain["alerts"]]
        return [(one["labels"]["alertname"], one["labels"].get("server_name", ""), one["status"]) for one in alerts]


@contextlib.contextmanager
def alertmanager(folder: Path) -> Iterator[Alertmanager]:
    """One whose data lies in ``folder``."""
    with receiver() as inbox:
        (folder / "alertmanager.yml").write_text(_CONFIGURATION.format(url=inbox.url))
        url = f"http://127.0.0.1:{free_port()}"
        command = [
            "prometheus-alertmanager", f"--config.file={folder}/alertmanager.yml",
            f"--storage.path={folder}/alertmanager", f"--web.listen-address={url.removeprefix('http://')}",
            "--cluster.listen-address=",
        ]  # fmt: skip
        program = Program(command, f"{url}/-/ready", folder / "alertmanager.log")
        program.start()
        try:
            yield Alertmanager(url, program, inbox)
        finally:
            program.kill()
