"""One command's worth of work: a scenario played in a world, judged, measured and written."""
