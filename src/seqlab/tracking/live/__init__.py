"""Learning curves while networks train: a program beside Snakemake (follower) reads what jobs write (histories)."""
