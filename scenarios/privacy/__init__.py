"""Who may read what of a run, who could, and what outsiders can infer."""
