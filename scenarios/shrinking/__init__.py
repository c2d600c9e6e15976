"""Shrinking: the shortest scenario that still fails as a run failed."""
