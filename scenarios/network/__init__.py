"""Networks as files and processes: founding, deployment, and the commands a user has for them."""
