"""A generated trade: shipments of all three use cases, drawn from the seed, the same for the ledger and for paper."""
