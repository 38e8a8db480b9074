"""Connecting: what is sent, how long is waited, and which error says what."""

import base64

import pytest
from elastic_transport import ConnectionTimeout, TlsError
from pydantic import SecretStr, ValidationError

from triage.config import ElasticsearchSettings
from triage.elastic.client import connect, shown_url, wait_until_ready
from triage.elastic.errors import translated
from triage.errors import AccessDenied, ConfigError, DependencyError, Unavailable

HEALTHY = {"status": "green", "number_of_data_nodes": 1}


def settings_for(server, **changes):
    return ElasticsearchSettings(url=server.url, **{"start_timeout_s": 3, "request_timeout_s": 5, **changes})


def failing(status, body, headers=None):
    return lambda sent: (status, body, headers or {})


def test_the_stack_is_ready(client, settings, clock):
    wait_until_ready(client, settings, clock)
    assert clock.monotonic() == 0


@pytest.mark.parametrize(
    ("credentials", "sent"),
    [
        ({}, None),
        (
            {"username": "worker", "password": SecretStr("pass:word")},
            "Basic " + base64.b64encode(b"worker:pass:word").decode(),
        ),
        ({"api_key": SecretStr("aWQ6a2V5")}, "ApiKey aWQ6a2V5"),
    ],
)
def test_credentials_are_sent(serve, clock, credentials, sent):
    server = serve(lambda sent: (200, HEALTHY))
    settings = settings_for(server, **credentials)
    with connect(settings) as client:
        wait_until_ready(client, settings, clock)
    assert server.sent[0].headers.get("authorization") == sent
    assert server.sent[0].path == "/_cluster/health"


def test_it_waits_for_a_cluster_that_starts(serve, clock):
    answers = [
        None,
        (503, {"error": {"type": "master_not_discovered_exception", "reason": "no master"}, "status": 503}),
        (502, b"<html>bad gateway</html>", {"content-type": "text/html", "x-elastic-product": None}),
        (200, {"status": "red", "number_of_data_nodes": 0}),
        (200, HEALTHY),
    ]
    server = serve(lambda sent: answers.pop(0))
    settings = settings_for(server)
    with connect(settings) as client:
        wait_until_ready(client, settings, clock)
    assert len(server.sent) == 5
    assert clock.monotonic() == 2.0


def test_after_the_start_timeout_the_url_and_the_reason_are_named(clock):
    settings = ElasticsearchSettings(url="http://user:secret@127.0.0.1:9", start_timeout_s=2)
    with connect(settings) as client, pytest.raises(Unavailable) as raised:
        wait_until_ready(client, settings, clock)
    assert "http://127.0.0.1:9 not ready within 2 s" in str(raised.value)
    assert "refused" in str(raised.value)
    assert "secret" not in str(raised.value)
    assert clock.monotonic() == 2.0


@pytest.mark.parametrize("status", [401, 403])
def test_refused_credentials_are_not_waited_for(serve, clock, status):
    error = {
        "error": {"type": "security_exception", "reason": "unable to authenticate user [worker]"},
        "status": status,
    }
    server = serve(failing(status, error))
    settings = settings_for(server)
    with (
        connect(settings) as client,
        pytest.raises(AccessDenied, match=r"unable to authenticate.*elasticsearch\.api_key|api_key"),
    ):
        wait_until_ready(client, settings, clock)
    assert len(server.sent) == 1


def test_something_else_at_the_url_is_a_configuration_error(serve, clock):
    server = serve(failing(200, {"hello": "world"}, {"x-elastic-product": None}))
    settings = settings_for(server)
    with connect(settings) as client, pytest.raises(ConfigError, match="not Elasticsearch"):
        wait_until_ready(client, settings, clock)


def test_an_older_elasticsearch_is_a_configuration_error(serve, clock):
    error = {"error": {"type": "media_type_header_exception", "reason": "Invalid media-type value"}, "status": 400}
    settings = settings_for(serve(failing(400, error)))
    with connect(settings) as client, pytest.raises(ConfigError, match="not Elasticsearch 9"):
        wait_until_ready(client, settings, clock)


def test_tls_to_a_plain_port_names_the_setting(serve, clock):
    url = serve(failing(200, HEALTHY)).url.replace("http:", "https:")
    settings = ElasticsearchSettings(url=url)
    with connect(settings) as client, pytest.raises(ConfigError, match=r"TLS to .* failed.*elasticsearch\.ca_certs"):
        wait_until_ready(client, settings, clock)


def test_the_next_node_is_asked_when_one_does_not_answer(serve, clock):
    server = serve(failing(200, HEALTHY))
    settings = ElasticsearchSettings(url=f"http://127.0.0.1:9, {server.url}", start_timeout_s=1)
    with connect(settings) as client:
        wait_until_ready(client, settings, clock)
        wait_until_ready(client, settings, clock)
    assert clock.monotonic() == 0


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (429, {"error": {"type": "circuit_breaking_exception", "reason": "[parent] Data too large"}}, Unavailable),
        (500, {"error": {"type": "i_o_exception", "reason": "disk"}}, Unavailable),
        (504, {"error": "timeout"}, Unavailable),
        (403, {"error": {"type": "cluster_block_exception", "reason": "cluster read-only"}}, Unavailable),
        (400, {"error": {"type": "parsing_exception", "reason": "unknown query [x]"}}, DependencyError),
        (400, {"error": "no handler found for uri [/_x]"}, DependencyError),
    ],
)
def test_answers_become_our_errors(serve, status, body, error):
    settings = settings_for(serve(failing(status, body)))
    with connect(settings) as client, pytest.raises(error) as raised, translated():
        client.search(index="x")
    assert type(raised.value) is error
    assert str(raised.value).startswith(f"elasticsearch: {status} ")


def test_a_proxy_that_answers_instead_is_waited_for(serve):
    settings = settings_for(
        serve(failing(404, b"default backend", {"content-type": "text/plain", "x-elastic-product": None}))
    )
    with (
        connect(settings) as client,
        pytest.raises(Unavailable, match="the answer is not from Elasticsearch"),
        translated(),
    ):
        client.search(index="x")


def test_a_missing_authority_file_names_the_setting(tmp_path):
    settings = ElasticsearchSettings(url="https://es:9200", ca_certs=tmp_path / "ca.pem")
    with pytest.raises(ConfigError, match=r"elasticsearch\.ca_certs: no such file"):
        connect(settings)


def test_urls_are_shown_without_their_user():
    assert shown_url(ElasticsearchSettings(url="http://u:p@a:1,https://b")) == "http://a:1,https://b"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"url": "localhost:9200"}, "http(s)://host:port"),
        ({"url": "http://a:9200,"}, "http(s)://host:port"),
        ({"username": "a"}, "username and password must be set together"),
        ({"username": "a", "password": "b", "api_key": "c"}, "not both"),
        ({"alerts_index": "feedback"}, "alerts_index must not be feedback"),
        ({"alerts_index": "feedback-alerts"}, "begin with feedback-"),
    ],
)
def test_settings_that_do_not_fit_together(given, said):
    with pytest.raises(ValidationError) as raised:
        ElasticsearchSettings(**given)
    assert said in str(raised.value)


@pytest.mark.parametrize("path", ["", "/search"])
def test_an_error_without_an_answer_names_the_nodes_and_the_setting_to_check(path):
    urls = f"http://worker:secret@127.0.0.1:9{path},http://127.0.0.1:7"
    with connect(ElasticsearchSettings(url=urls)) as client, pytest.raises(Unavailable) as caught, translated():
        client.info()
    assert str(caught.value) == "elasticsearch: Connection refused"
    tried, _, fix = caught.value.fix.rpartition(": ")
    # Nodes are tried in any order.
    assert sorted(tried.removeprefix("tried ").split(", ")) == ["http://127.0.0.1:7", f"http://127.0.0.1:9{path}"]
    assert fix == "start Elasticsearch there, or check elasticsearch.url"


def test_without_an_answer_in_time_the_time_is_named_too():
    error = ConnectionTimeout("Connection timed out")
    error.add_note("http://es:9200")
    with pytest.raises(Unavailable) as caught, translated():
        raise error
    expected = "tried http://es:9200: check elasticsearch.url, or raise elasticsearch.request_timeout_s"
    assert caught.value.fix == expected


def test_a_failure_of_tls_names_the_certificates():
    with pytest.raises(Unavailable) as caught, translated():
        raise TlsError("certificate verify failed")
    assert caught.value.fix == "check elasticsearch.url and elasticsearch.ca_certs"
