"""The engine of a partition of `window-counts`: its windows, episodes and stored state, without I/O."""
