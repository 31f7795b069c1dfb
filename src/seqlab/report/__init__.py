"""The report of an experiment: tables, figures and the page. Start with `contents`, the list of figures."""
