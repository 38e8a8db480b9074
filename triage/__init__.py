"""Streaming complaint triage and sentiment: Kafka in, one ONNX model, Elasticsearch and spike alerts out."""

__version__ = "0.1.0"
