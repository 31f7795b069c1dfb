"""Research objects (RO-Crates) of finished experiments: contents, then their descriptions, packing and checks."""
