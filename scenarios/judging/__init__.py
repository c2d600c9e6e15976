"""What a run came to: checks, expectations' history, measurement, the search for leaks, the verdict."""
