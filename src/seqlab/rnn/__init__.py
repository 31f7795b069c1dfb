"""Recurrent language models: networks, training task, scoring and runs; read `network`, `task`, `scoring`, `model`."""
