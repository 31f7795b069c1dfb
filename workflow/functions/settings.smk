"""What the configuration says of a run and of a text, as a rule hands it on."""

from seqlab.configuration import local_texts, with_paths


def run_of(wildcards):
    """Settings and seeds of one run, as JSON."""
    return json.dumps(RUNS[wildcards.corpus, wildcards.unit][wildcards.family, wildcards.model])


def definition_of(wildcards):
    """The block of a corpus, as JSON; the paths of local texts are inputs instead."""
    return json.dumps(with_paths(CORPORA[wildcards.corpus], None))


def kind_of(wildcards):
    """Where a corpus comes from."""
    return CORPORA[wildcards.corpus]["kind"]


def cleaning_of(wildcards):
    """How a corpus is cleaned."""
    return CORPORA[wildcards.corpus]["cleaning"]


def min_freq_of(wildcards):
    """How often a token must occur to be in the vocabulary."""
    return config["vocab"]["min_freq"][wildcards.unit]


def text_of(wildcards):
    """The local texts that a corpus is copied from, or nothing."""
    return local_texts(CORPORA[wildcards.corpus])


def sample_of(wildcards):
    """How the sample of a model is drawn, as JSON."""
    return json.dumps(config["sample"] | {"symbols": config["sample"]["symbols"][wildcards.unit]})


def sample_symbols_of(wildcards):
    """How long the sample of a model is."""
    return config["sample"]["symbols"][wildcards.unit]


def highest_order(wildcards):
    """The highest order of all n-gram models."""
    return max(order for sweep in config["ngram"] for order in sweep["orders"])
