"""The best model of each family in the registry of MLflow: registration (registry) and predictions (served)."""
