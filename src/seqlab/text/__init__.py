"""Texts of corpora: definitions, fetching, cleaning, tokens, vocabularies, splits and checks of texts.

Read `definitions`, `corpora`, `cleaning`, `tokens`, `vocab` and `splits`; `sources` generates texts of known entropy.
"""
