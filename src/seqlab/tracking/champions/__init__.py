"""The best model of each family as a model of MLflow: registering it (registry) and answering for it (served)."""
