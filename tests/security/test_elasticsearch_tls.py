"""Elasticsearch over TLS with a key: what is right gets in, what is wrong is said at once, with what to look at."""

import pytest
from secured import SecuredElasticsearch

from triage.config import ElasticsearchSettings
from triage.elastic.client import connect, wait_until_ready
from triage.errors import AccessDenied, ConfigError, TriageError


def _reach(server, clock, **settings):
    options = ElasticsearchSettings(url=server.url, start_timeout_s=2, **settings)
    client = connect(options)
    try:
        wait_until_ready(client, options, clock)
    finally:
        client.close()


def test_an_api_key_or_a_password_over_tls(secured_elasticsearch, authority, clock):
    _reach(secured_elasticsearch, clock, ca_certs=authority / "ca.pem", api_key=SecuredElasticsearch.API_KEY)
    _reach(secured_elasticsearch, clock, ca_certs=authority / "ca.pem", username="triage", password="secret")
    assert [given.split()[0] for given, _ in secured_elasticsearch.seen] == ["ApiKey", "Basic"]


@pytest.mark.parametrize("wrong", [{}, {"api_key": "d3Jvbmc6a2V5"}, {"username": "triage", "password": "guess"}])
def test_wrong_credentials_end_the_wait_at_once(secured_elasticsearch, authority, clock, wrong):
    with pytest.raises(AccessDenied, match=r"check elasticsearch\.username and password, or api_key") as caught:
        _reach(secured_elasticsearch, clock, ca_certs=authority / "ca.pem", **wrong)
    assert "guess" not in str(caught.value)
    assert clock.monotonic() == 0


@pytest.mark.parametrize("cafile", [None, "other-ca.pem"])
def test_an_unknown_authority_is_a_configuration_error(secured_elasticsearch, authority, clock, cafile):
    with pytest.raises(ConfigError, match=r"TLS to https.* failed.*elasticsearch\.ca_certs"):
        _reach(
            secured_elasticsearch, clock, api_key=SecuredElasticsearch.API_KEY,
            ca_certs=authority / cafile if cafile else None,
        )  # fmt: skip


def test_a_certificate_of_another_host_is_refused(authority, clock):
    with SecuredElasticsearch(authority, "elsewhere") as server, pytest.raises(ConfigError, match="TLS to"):
        _reach(server, clock, ca_certs=authority / "ca.pem", api_key=SecuredElasticsearch.API_KEY)
    assert server.seen == []


def test_a_client_certificate_where_one_is_wanted(authority, clock):
    with SecuredElasticsearch(authority, wants_client=True) as server:
        keys = {"ca_certs": authority / "ca.pem", "api_key": SecuredElasticsearch.API_KEY}
        _reach(server, clock, client_cert=authority / "client.pem", **keys)
        assert server.seen[-1][1]["subjectAltName"] == (("email", "triage@example.org"),)
        with pytest.raises(TriageError):
            _reach(server, clock, **keys)


def test_missing_files_are_named(clock, tmp_path):
    for name in ("ca_certs", "client_cert", "client_key"):
        with pytest.raises(ConfigError, match=f"elasticsearch.{name}: no such file"):
            connect(ElasticsearchSettings(url="https://127.0.0.1:9", **{name: tmp_path / "absent.pem"}))
