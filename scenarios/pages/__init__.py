"""The pages in docs/ that are made of the program itself: its tables, models, command line and scenarios."""
