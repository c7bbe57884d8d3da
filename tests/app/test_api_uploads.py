"""Files sent over HTTP: received, mapped, admitted, removed."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from typing import Any

from flask.testing import FlaskClient

MakeClient = Callable[..., FlaskClient]
FOREIGN = b"time,host,cpu\n2026-11-24T08:00:00Z,a,50\n2026-11-24T08:01:00Z,a,51\n2026-11-24T08:02:00Z,a,52\n"


def sent(client: FlaskClient, content: bytes, filename: str) -> dict[str, Any]:
    answer = client.post("/api/v1/datasets", query_string={"filename": filename}, data=content)
    assert answer.status_code == 201
    payload: dict[str, Any] = answer.get_json()
    assert answer.headers["Location"].endswith(f"/api/v1/uploads/{payload['id']}")
    return payload


def admitted(client: FlaskClient, upload_id: str, body: dict[str, Any]) -> dict[str, Any]:
    assert client.post(f"/api/v1/uploads/{upload_id}/admit", json=body).status_code == 202
    for _ in range(1200):
        payload: dict[str, Any] = client.get(f"/api/v1/uploads/{upload_id}").get_json()
        if payload["state"] != "working":
            return payload
        time.sleep(0.05)
    raise AssertionError("the work never ended")


def test_a_foreign_file_becomes_a_dataset_and_can_be_removed(make_client: MakeClient) -> None:
    client = make_client()
    upload = sent(client, FOREIGN, "../../Shop \u202e.csv")
    assert "/" not in upload["filename"]
    waiting = admitted(client, upload["id"], {})
    assert waiting["state"] == "needs-mapping"
    shown = client.post(f"/api/v1/uploads/{upload['id']}/mapping", data=waiting["mapping_yaml"].encode()).get_json()
    assert shown["valid"]
    done = admitted(client, upload["id"], {"name": "shop", "mapping": waiting["mapping"]})
    assert (done["state"], done["name"]) == ("ready", "shop")
    assert "shop" in [dataset["name"] for dataset in client.get("/api/v1/datasets").get_json()]
    assert client.delete("/api/v1/datasets/shop").status_code == 200
    assert client.delete("/api/v1/datasets/shop").status_code == 404


def test_a_bad_file_is_refused_in_words_and_the_worker_answers_on(make_client: MakeClient) -> None:
    client = make_client()
    upload = sent(client, b"<html><script>alert(1)</script></html>", "a.csv")
    refused = admitted(client, upload["id"], {})
    assert refused["state"] == "refused"
    assert "HTML" in refused["message"]
    assert client.delete(f"/api/v1/uploads/{upload['id']}").status_code == 200
    assert client.get("/healthz").status_code == 200


def test_a_file_larger_than_the_limit_is_refused(make_client: MakeClient) -> None:
    answer = make_client(upload_mb=1).post("/api/v1/datasets?filename=a.csv", data=b"x" * 1_100_000)
    assert answer.status_code == 413
    assert "TFT_DASH_UPLOAD_MB" in answer.get_json()["error"]


def test_a_request_that_is_none_is_refused_in_words(make_client: MakeClient) -> None:
    client = make_client()
    place = f"/api/v1/uploads/{sent(client, FOREIGN, 'a.csv')['id']}"
    assert client.post(f"{place}/admit", data=b"{broken").status_code in (400, 422)
    assert client.post(f"{place}/admit", json={"name": "../x"}).status_code in (400, 422)
    assert client.post(f"{place}/mapping", data=b"kind: Nonsense").status_code == 422
    assert client.get("/api/v1/uploads/nothing").status_code == 404
    assert client.get(place).get_json()["state"] == "received"


def test_a_form_is_refused_with_the_way_to_send_a_file(make_client: MakeClient) -> None:
    client = make_client()
    answer = client.post("/api/v1/datasets", data={"file": (io.BytesIO(FOREIGN), "a.csv")})
    assert answer.status_code == 400
    assert "curl --data-binary" in answer.get_json()["error"]
    assert client.get("/api/v1/uploads").get_json() == []


def test_a_file_that_is_none_cannot_be_previewed_and_a_configured_source_not_removed(make_client: MakeClient) -> None:
    client = make_client()
    upload = sent(client, b"<html></html>", "a.csv")
    answer = client.post(f"/api/v1/uploads/{upload['id']}/mapping")
    assert answer.status_code == 400
    assert "HTML" in answer.get_json()["error"]
    name = client.get("/api/v1/sources").get_json()[0]["name"]
    answer = client.delete(f"/api/v1/datasets/{name}")
    assert answer.status_code == 400
    assert "TFT_DASH_SOURCES" in answer.get_json()["error"]
