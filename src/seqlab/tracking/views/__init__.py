"""Saved views of MLflow's pages: their list (catalogue) and their storage (format)."""
