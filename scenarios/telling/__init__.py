"""A run told to people: as it goes, at the end, and one story at a time."""
