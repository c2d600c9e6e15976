"""Campaigns: one scenario over many seeds, on one machine or many, with a summary that says how sure it is."""
