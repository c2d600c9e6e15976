"""What must hold in every run, whatever the scenario says: one table of checks, and a room for each."""
