"""Bits of every symbol, perplexity, choice of the best model, statistics and mixtures."""
