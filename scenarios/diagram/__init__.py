"""The space-time diagram of a virtual run."""
