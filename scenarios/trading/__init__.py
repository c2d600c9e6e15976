"""The generated trade on the ledger: shipments become papers and acts of the organizations' own programs."""
