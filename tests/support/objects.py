"""A real S3 server on the loopback: moto's, in a process of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import boto3
from botocore.config import Config

from support.serving import free_port

START_SECONDS = 60
ACCESS_KEY, SECRET_KEY = "AKIDTHATNOBODYSEES", "hush-hush/secret+key"
CREDENTIALS: Mapping[str, str] = {
    "AWS_ACCESS_KEY_ID": ACCESS_KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_DEFAULT_REGION": "us-east-1",
}


@dataclass
class ObjectServer:
    """A running server, its buckets, and how to stop it; what it holds goes with it."""

    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(self.port)]
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        self.process = subprocess.Popen(command, start_new_session=True, **quiet)  # type: ignore[call-overload]
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 1):
                return
            time.sleep(0.1)
        raise RuntimeError("the S3 server did not start")

    def stop(self) -> None:
        """End it at once."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(10)
            self.process = None

    def pause(self) -> None:
        """Let it accept connections and say nothing."""
        if self.process is not None:
            os.killpg(self.process.pid, signal.SIGSTOP)

    def put(self, bucket: str, key: str, content: bytes | Path) -> None:
        """Store an object, in a bucket that is made if need be."""
        client = self._client()
        with contextlib.suppress(client.exceptions.BucketAlreadyOwnedByYou, client.exceptions.BucketAlreadyExists):
            client.create_bucket(Bucket=bucket)
        client.put_object(Bucket=bucket, Key=key, Body=content if isinstance(content, bytes) else content.read_bytes())

    def url(self, bucket: str, key: str = "") -> str:
        """The address of an object or a prefix."""
        query = f"?scheme=http&endpoint_override=127.0.0.1:{self.port}&region=us-east-1"
        return f"s3://{bucket}/{quote(key)}{query}"

    def _client(self) -> Any:
        return boto3.client(
            "s3",
            endpoint_url=f"http://127.0.0.1:{self.port}",
            region_name="us-east-1",
            aws_access_key_id=ACCESS_KEY,
            aws_secret_access_key=SECRET_KEY,
            config=Config(retries={"max_attempts": 1}),
        )


@contextlib.contextmanager
def object_server() -> Iterator[ObjectServer]:
    """A server for the time of the block."""
    server = ObjectServer()
    server.start()
    try:
        yield server
    finally:
        server.stop()
