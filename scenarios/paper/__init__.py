"""Today's paper process on the same trade as the ledger's: mail, cabinets, samples, thirty-day limits."""
