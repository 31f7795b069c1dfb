"""Publication of runs to MLflow. Start with `plan`, then `reconcile` and `publish`."""
