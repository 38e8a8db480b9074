"""Questions and their answers with evidence, as the API, the command line and the console give them."""
