"""A network as files and processes: founding, layout, deployment, and one node's own process."""
