"""The saved views of MLflow's pages: which there are (catalogue) and how MLflow stores them (format)."""
