"""The command line `triage`: one module per command."""
