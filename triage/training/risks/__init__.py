"""Trains the risk head of a finished model, whose encoder and other heads stay bit for bit as they are."""
