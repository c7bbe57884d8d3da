"""Which kind of source answers for what somebody names, and what of an address is ever shown."""

from __future__ import annotations

import pytest

from tft_dash.errors import UsageError
from tft_dash.settings import load_settings
from tft_dash.sources.catalogue import discover, discover_all
from tft_dash.sources.remote.address import encoded, kind_of, last_part, shown


@pytest.mark.parametrize(
    ("spec", "name", "kind"),
    [
        ("s3://bucket/2026/fleet.parquet", "fleet", "object-store"),
        ("S3://bucket/2026/fleet.csv.gz?region=eu-west-1", "fleet", "object-store"),
        ("gs://bucket/drill.v1/", "drill.v1", "object-store"),
        ("s3://bucket", "bucket", "object-store"),
        ("s3://key:se%2Fcret@bucket", "bucket", "object-store"),
        ("abfs://container@account.dfs.core.windows.net", "container", "object-store"),
        ("prod=s3://bucket/a=b/x.csv?scheme=http", "prod", "object-store"),
        ("s3://bucket/größe und mehr.csv", "groe-und-mehr", "object-store"),
        ("s3://bucket/..", "recording", "object-store"),
        ("s3://bucket/%2Fetc%2Fpasswd", "recording", "object-store"),
        ("file:///somewhere/it%20is.csv", "it-is", "file"),
    ],
)
def test_the_scheme_of_an_address_tells_the_kind_and_its_last_part_the_name(spec: str, name: str, kind: str) -> None:
    found = discover(spec, demand=False)
    assert (found.name, found.kind) == (name, kind)


def test_the_path_of_a_file_address_is_a_path() -> None:
    assert str(discover("file:///somewhere/it%20is.csv", demand=False).path) == "/somewhere/it is.csv"
    with pytest.raises(UsageError, match="names another machine"):
        discover("file://elsewhere/it.csv")


def test_an_unknown_scheme_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UsageError, match=r"ftp:// is not known. Known: a path, file://, s3://") as refused:
        discover("ftp://user:hunter2@host/it.csv")
    assert "hunter2" not in str(refused.value)


def test_a_scheme_whose_kind_is_not_there_is_refused_by_the_kinds_name() -> None:
    for spec in ("prometheus+https://host:9090", "postgresql+psycopg://u:pw@h/d", "push://fleet"):
        with pytest.raises(UsageError, match="kind of source 'live', which this version does not have") as refused:
            kind_of(spec, ("file",))
        assert "pw@" not in str(refused.value)


def test_one_slash_too_few_is_told() -> None:
    with pytest.raises(UsageError, match="with two slashes"):
        discover("s3:/bucket/it.csv")


def test_addresses_get_names_of_their_own() -> None:
    found = discover_all(["s3://a/it.csv", "gs://b/it.csv", "it=s3://c/x.csv"])
    assert [each.name for each in found] == ["it-2", "it-3", "it"]


@pytest.mark.parametrize(
    ("location", "fit"),
    [
        ("s3://bucket/it.csv", "s3://bucket/it.csv"),
        ("s3://AKID:se%2Fcret@bucket/it.csv", "s3://***@bucket/it.csv"),
        ("s3://AKID:se/cr@et@bucket/it.csv", "s3://***@bucket/it.csv"),
        ("s3://bucket/a@b.csv", "s3://bucket/a@b.csv"),
        ("abfs://c@acc.net/it.csv?sig=secret", "abfs://c@acc.net/it.csv"),
        ("abfs://:key@acc.net/c/it.csv", "abfs://***@acc.net/c/it.csv"),
        ("/a:b/c@d.csv", "/a:b/c@d.csv"),
    ],
)
def test_what_is_shown_of_an_address_holds_no_secret(location: str, fit: str) -> None:
    assert shown(location) == fit


def test_the_list_of_settings_holds_no_secret_of_a_source() -> None:
    sources = (
        "a=s3://AKID:hush@bucket/x.csv?region=eu abfs://c@acc.net/y.csv?sig=hush&client_secret=hush&x=1 "
        "/plain/path@home.csv"
    )
    told = {name: value for name, value, _ in load_settings(environ={"TFT_DASH_SOURCES": sources}).rows()}
    assert told["TFT_DASH_SOURCES"] == (
        "a=s3://***@bucket/x.csv?region=eu abfs://c@acc.net/y.csv?sig=***&client_secret=***&x=1 /plain/path@home.csv"
    )


def test_what_cannot_stand_in_an_address_is_written_as_it_must_be() -> None:
    assert encoded("s3://b/a b%20c/100%/ö.csv?x=1") == "s3://b/a%20b%20c/100%25/%C3%B6.csv?x=1"


@pytest.mark.parametrize(
    "location", ["s3://b/..", "s3://b/%2e%2e", "s3://b/a%2Fb", "s3://b/a%00b", f"s3://b/{'x' * 300}"]
)
def test_a_copy_is_never_called_what_no_file_can_be(location: str) -> None:
    assert last_part(location) == "recording"


def test_a_kind_that_is_added_answers_for_the_scheme_of_its_name() -> None:
    assert kind_of("ours://host/x", ("file", "ours")) == "ours"
    assert kind_of("postgresql+psycopg://host/x", ("file", "live")) == "live"
    assert kind_of("prometheus+https://host", ("file", "live")) == "live"
