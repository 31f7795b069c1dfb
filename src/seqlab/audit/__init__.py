"""Audit: laws of a fair perplexity, and the models that they judge.

`candidate` is the interface of a model, `subject` a model with its text and the facts known of it, `laws` the laws, and
`audit` their findings.
"""
