"""What a run leaves: its events, in order, and the folder that they and everything else are written to."""
