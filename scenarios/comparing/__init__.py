"""Sensitivity and comparison: figures over a grid of values, fault budgets, and two versions side by side."""
