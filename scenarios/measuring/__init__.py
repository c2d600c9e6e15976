"""The pilot's success metrics, M1 to M13: what they are, and what a run's events come to by them."""
