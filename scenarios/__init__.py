"""The trial: scenario files, worlds, agents, faults, checks, measurement and the command line."""
