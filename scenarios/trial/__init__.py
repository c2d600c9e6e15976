"""One run of a scenario: the trial itself, its calendar and faults, what it records, and the folder it leaves."""
