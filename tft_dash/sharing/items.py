"""One shared file, or folder of files, on this host: what it holds, and what is known of its last exchange."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from tft_dash.files import write_whole
from tft_dash.sharing.places import Place
from tft_dash.store.shared import PART_BYTES

Signature = list[list[str | int]]
"""Name, size and time of change of each file."""


@dataclass(frozen=True, slots=True)
class FileFact:
    """One file: its name, its size, when it was changed (nanoseconds since 1970), its SHA-256."""

    name: str
    bytes: int
    changed_ns: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Known:
    """What this host has exchanged with the others last.

    :param stamp: of what it had then.
    :param serial: likewise.
    :param signature: of its files as they were then.
    """

    stamp: str
    serial: int
    signature: Signature

    def is_lacking(self, signature: Signature) -> bool:
        """Whether a file that was there then is missing now: nobody makes a change by that."""
        return not {one[0] for one in self.signature} <= {one[0] for one in signature}


class DamagedError(OSError):
    """What came from the store is not what was put there."""

    def __init__(self) -> None:
        super().__init__("its bytes in the store are damaged; remove it, and make it anew")


def work_folder(data: Path, place: Place) -> Path:
    """Where what arrives at a place is put together: on the same file system."""
    return data / place.folder / ".work"


class Item:
    """A shared file, or folder of files, in a data folder.

    :raises ValueError: nothing can be called so.
    """

    def __init__(self, data: Path, place: Place, name: str) -> None:
        self.place, self.name = place, name
        self.path = place.path(data, name)
        self._data = data
        self._note = data / ".shared" / place.key / f"{name}.json"
        self._work = work_folder(data, place)

    def is_here(self) -> bool:
        """Whether it is here, and whole."""
        return self.place.is_whole(self._data, self.name)

    def signature(self) -> Signature:
        """Changes when a file does.

        :raises OSError: it goes away meanwhile.
        """
        status = ((file.name, file.stat()) for file in self._files())
        return [[name, found.st_size, found.st_mtime_ns] for name, found in status]

    def is_settled(self, seconds: float, now: float) -> bool:
        """Whether nothing of it has changed for so long.

        :raises OSError: it goes away meanwhile.
        """
        return all(now - file.stat().st_ctime >= seconds for file in self._files())

    def facts(self, take: Callable[[bytes], None] = lambda _part: None) -> list[FileFact]:
        """Read it all, part by part; what its files are.

        :param take: is handed every part, across the borders of files.
        :raises OSError: it cannot be read.
        """
        found, waiting = [], bytearray()
        for path in self._files():
            status, digest, size = path.stat(), hashlib.sha256(), 0
            with path.open("rb") as file:
                while chunk := file.read(PART_BYTES):
                    digest.update(chunk)
                    size += len(chunk)
                    waiting += chunk
                    while len(waiting) >= PART_BYTES:
                        take(bytes(waiting[:PART_BYTES]))
                        del waiting[:PART_BYTES]
            found.append(FileFact(path.name, size, status.st_mtime_ns, digest.hexdigest()))
        if waiting:
            take(bytes(waiting))
        return found

    def holds(self, facts: str) -> bool:
        """Whether it holds the same as what :func:`written` of its facts tells; times do not count."""
        return [(fact.name, fact.sha256) for fact in self.facts()] == [(fact.name, fact.sha256) for fact in read(facts)]

    def known(self) -> Known | None:
        """What was exchanged last; None = nothing ever was."""
        try:
            found = json.loads(self._note.read_bytes())
            return Known(str(found["stamp"]), int(found["serial"]), list(found["signature"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def note(self, stamp: str, serial: int, signature: Signature) -> None:
        """Note what was exchanged.

        :raises OSError: it cannot be written.
        """
        self._note.parent.mkdir(parents=True, exist_ok=True)
        write_whole(self._note, json.dumps({"stamp": stamp, "serial": serial, "signature": signature}))

    def forget(self) -> None:
        """Nothing was ever exchanged."""
        self._note.unlink(missing_ok=True)

    def is_idle(self, seconds: float, now: float) -> bool:
        """Whether nothing at its place, whole or not, hidden or not, has changed for so long.

        :raises OSError: it goes away meanwhile.
        """
        there = [self.path, *(self.path.iterdir() if self.path.is_dir() else ())]
        return all(now - path.stat().st_ctime >= seconds for path in there)

    def is_remainder(self, known: Known | None) -> bool:
        """Whether what lies at its place is what was exchanged last, less some files.

        :raises OSError: it goes away meanwhile.
        """
        if known is None or not self.path.is_dir():
            return False
        there = [path for path in self.path.iterdir() if path.name != self.place.mark]
        return all([path.name, (one := path.stat()).st_size, one.st_mtime_ns] in known.signature for path in there)

    def install(
        self, stamp: str, serial: int, facts: list[FileFact], parts: Iterator[bytes], seen: Signature | None
    ) -> bool:
        """Put what another host has in its place, whole or not at all; False = what is there now is not what was.

        :param seen: what was there; None = nothing.
        :raises DamagedError: it is not what it should be.
        :raises OSError: it cannot be written.
        """
        work = self._work / stamp
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        try:
            if not _unpacked(work, facts, parts):
                raise DamagedError
            arrived = self._arrived(work)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            if (self.signature() if self.path.exists() else None) != seen:
                return False
            if self.path.is_dir():
                self.drop()
            arrived.replace(self.path)
            self.note(stamp, serial, [[fact.name, fact.bytes, fact.changed_ns] for fact in facts])
        finally:
            shutil.rmtree(work, ignore_errors=True)
        return True

    def drop(self) -> None:
        """Let it vanish at once, then free its room; whoever has it open reads on.

        :raises OSError: it cannot be removed.
        """
        grave = self._work / f"removed-{secrets.token_hex(6)}"
        grave.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):  # another process was faster
            self.path.rename(grave)
        if grave.is_dir():
            shutil.rmtree(grave, ignore_errors=True)
        else:
            grave.unlink(missing_ok=True)

    def set_aside(self, word: str) -> Path:
        """Move it out of the way; where it lies now.

        :param word: tells it from others of its name.
        :raises OSError: it cannot be moved.
        """
        aside = self._data / "set-aside" / self.place.key / f"{self.name}.{word}-{secrets.token_hex(3)}"
        aside.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(self.path, aside)  # the place may be a mount of its own
        self.forget()
        return aside

    def marked_ms(self) -> int:
        """When somebody on this host last looked at it, in milliseconds since 1970; 0 = nobody has."""
        try:
            return (self.path / self.place.mark).stat().st_mtime_ns // 1_000_000
        except OSError:
            return 0

    def mark(self, milliseconds: int) -> None:
        """Somebody looks at it on another host."""
        with contextlib.suppress(OSError):  # it goes away meanwhile
            path = self.path / self.place.mark
            path.touch()
            os.utime(path, ns=(milliseconds * 1_000_000, milliseconds * 1_000_000))

    def _arrived(self, work: Path) -> Path:
        if self.place.proof:
            return work
        return work / self.path.name

    def _files(self) -> list[Path]:
        if not self.place.proof:
            return [self.path]
        return sorted(path for path in self.path.iterdir() if not path.name.startswith(".") and path.is_file())


def written(facts: list[FileFact]) -> str:
    """Facts as text, for the store."""
    return json.dumps([asdict(fact) for fact in facts])


def read(text: str) -> list[FileFact]:
    """Facts from text.

    :raises ValueError: it is none.
    """
    return [FileFact(one["name"], one["bytes"], one["changed_ns"], one["sha256"]) for one in json.loads(text)]


def _unpacked(work: Path, facts: list[FileFact], parts: Iterator[bytes]) -> bool:
    """Write the files that parts hold; whether they are what the facts say."""
    waiting = bytearray()
    for fact in facts:
        if Path(fact.name).name != fact.name or fact.name.startswith("."):
            return False
        path, digest, left = work / fact.name, hashlib.sha256(), fact.bytes
        with path.open("xb") as file:
            while left:
                if not waiting:
                    part = next(parts, None)
                    if part is None:
                        return False
                    waiting += part
                chunk = bytes(waiting[:left])
                del waiting[: len(chunk)]
                left -= len(chunk)
                digest.update(chunk)
                file.write(chunk)
        if digest.hexdigest() != fact.sha256:
            return False
        os.utime(path, ns=(fact.changed_ns, fact.changed_ns))
    return True
