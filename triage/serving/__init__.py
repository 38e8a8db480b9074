"""The serving API: the worker's enrichment, feedback into the topics and corrections, over HTTP."""
