"""The alerting logic of one partition of `window-counts`: its windows, episodes and stored state, without I/O."""
