"""The servers of `secured`, for the tests of this folder."""

from secured import authority, secured_elasticsearch, secured_kafka, token_endpoint

__all__ = ["authority", "secured_elasticsearch", "secured_kafka", "token_endpoint"]
