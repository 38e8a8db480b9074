"""Data of the pages, from Elasticsearch, Kafka and the model."""
