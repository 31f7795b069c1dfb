"""Live learning curves: a program beside Snakemake (follower) mirrors the histories that training jobs write."""
