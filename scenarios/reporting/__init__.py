"""A run's report: one page for owner, operator and examiner, and its short version on the terminal."""
