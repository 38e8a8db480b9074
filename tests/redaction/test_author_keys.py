"""Check values of author keys: the same for the same key, and a wrong key is named with the fix."""

import pytest

from triage.config import load_settings
from triage.errors import ConfigError
from triage.redaction import Redactor
from triage.redaction.author_keys import DEMO_CHECK, check_value, key_checks, require_recorded_keys

OWN, OTHER = "a-secret-of-our-own", "another-secret-of-ours"


def redaction(key=OWN, version="1", **old):
    flags = {"author_key": key, "author_key_version": version, "old_author_keys": old}
    return load_settings(None, {f"redaction.{name}": value for name, value in flags.items()}).redaction


def test_a_check_value_depends_on_the_key_alone_and_is_no_authors_hash():
    assert key_checks(redaction(OWN, "2", v1=OTHER)) == {"2": check_value(OWN), "v1": check_value(OTHER)}
    assert check_value(OWN) != check_value(OTHER)
    assert len(check_value(OWN)) == 16
    hashes = Redactor(redaction()).author_hash("", "check value of an author key")
    assert check_value(OWN) not in hashes


def test_recorded_and_unrecorded_keys_pass():
    require_recorded_keys(redaction(), {"1": check_value(OWN), "0": check_value(OTHER)})
    require_recorded_keys(redaction(), {})
    require_recorded_keys(redaction(), {"1": DEMO_CHECK})


def test_a_key_of_another_version_or_none_is_refused():
    recorded = {"1": check_value(OWN)}
    with pytest.raises(ConfigError, match=r"redaction\.author_key is not the key that made.*version 1.*new redaction"):
        require_recorded_keys(redaction(OTHER), recorded)
    with pytest.raises(ConfigError, match=r"redaction\.old_author_keys\.1 is not the key .* set that key$"):
        require_recorded_keys(redaction(OTHER, "2", **{"1": "x"}), recorded)
    with pytest.raises(ConfigError, match=r"redaction\.author_key is the demo key, and not the key"):
        require_recorded_keys(redaction("triage-demo-key"), recorded)


def test_the_demo_keys_hash_is_that_of_a_redactor_with_it():
    demo = Redactor(redaction("triage-demo-key"))
    assert Redactor(redaction()).demo_hash("1", "shop", "42") == demo.author_hash("shop", "42")
