"""What of a run can be handed to people and programs outside it."""
