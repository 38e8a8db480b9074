"""The HTTP API: enrichment as in the worker, feedback into the raw topics, corrections."""
