"""Questions and answers with evidence, as used by the API, the command line and the console."""
