"""The files of the models of texts: what a rule reads, and what the whole experiment makes."""

from seqlab.configuration import mixture_candidates, ngram_runs
from seqlab.report.contents import FIGURES


def metrics_of(wildcards, families=None):
    """The metrics of every run on one corpus and unit, or of some families."""
    runs = RUNS[wildcards.corpus, wildcards.unit]
    wanted = [(family, model) for family, model in runs if families is None or family in families]
    return [f"results/{wildcards.corpus}/{wildcards.unit}/{family}/{model}/metrics.json" for family, model in wanted]


def lists_of(wildcards, families=None):
    """The lists of runs on one corpus and unit, or of some families."""
    present = dict.fromkeys(family for family, model in RUNS[wildcards.corpus, wildcards.unit])
    wanted = [family for family in present if families is None or family in families]
    return [f"results/{wildcards.corpus}/{wildcards.unit}/{family}/runs.txt" for family in wanted]


def all_lists():
    """The lists of all runs of the experiment."""
    families = dict.fromkeys((*place, family) for place, runs in RUNS.items() for family, model in runs)
    return [f"results/{corpus}/{unit}/{family}/runs.txt" for corpus, unit, family in families]


def listed(wildcards, input):
    """The lists of runs as arguments that argparse replaces by their lines."""
    return [f"@{path}" for path in input.lists]


def scores_beside(metrics):
    """The ledger of each model that has these metrics."""
    return [path.replace("metrics.json", "scores.npz") for path in metrics]


def parts_of(wildcards):
    """The metrics of every model that may be a part of a mixture."""
    runs = RUNS[wildcards.corpus, wildcards.unit]
    parts = runs["mixture", wildcards.model]["settings"]["parts"]
    found = mixture_candidates(parts, runs)
    return [f"results/{wildcards.corpus}/{wildcards.unit}/{family}/{model}/metrics.json" for family, model in found]


def part_lists_of(wildcards):
    """The lists of the families of a mixture."""
    return lists_of(wildcards, {path.split("/")[3] for path in parts_of(wildcards)})


REMEMBERING = ("source", "ngram", "rnn")  # the families whose memory is measured


def remembering_of(wildcards):
    """The metrics of the models whose memory is measured."""
    return metrics_of(wildcards, REMEMBERING)


# The families that are asked for symbols further ahead; n-grams only where they are kept.
FORESEEING = ("source", "ngram", "rnn") if config["keep_ngrams"] else ("source", "rnn")


def foreseeing_of(wildcards):
    """The metrics of the models that are asked for symbols further ahead."""
    return metrics_of(wildcards, FORESEEING)


def ngram_models_of(wildcards):
    """The n-gram models that are kept on one corpus and unit."""
    kept = metrics_of(wildcards, ("ngram",)) if config["keep_ngrams"] else []
    return [path.replace("metrics.json", "model.npz") for path in kept]


def weights_of(wildcards):
    """The weights of every network on one corpus and unit."""
    return [path.replace("metrics.json", "weights.safetensors") for path in metrics_of(wildcards, ("rnn",))]


def histories_of(wildcards):
    """The learning curves of every network on one corpus and unit."""
    return [path.replace("metrics.json", "history.csv") for path in metrics_of(wildcards, ("rnn",))]


def source_of(wildcards):
    """The metrics of the source that generated the text, where it is known."""
    known = ("source", "true-source") in RUNS[wildcards.corpus, wildcards.unit]
    return [f"results/{wildcards.corpus}/{wildcards.unit}/source/true-source/metrics.json"] if known else []


def all_metrics():
    """The metrics of every run of the experiment."""
    return [
        f"results/{corpus}/{unit}/{family}/{model}/metrics.json"
        for (corpus, unit), runs in RUNS.items()
        for family, model in runs
    ]


def all_arpa():
    """The n-gram models that are wanted in the format of other tools."""
    wanted = ngram_runs([sweep for sweep in config["ngram"] if sweep.get("arpa")])
    return [f"results/{corpus}/{unit}/ngram/{model}/model.arpa.gz" for corpus, unit in RUNS for model in wanted]


def all_figures():
    """Every figure of the experiment."""
    return [f"results/{corpus}/{unit}/figures/{name}.svg" for corpus, unit in RUNS for name in FIGURES]


def all_summaries():
    """The tables of every corpus and unit."""
    names = ("summary", "models", "verdicts", "breakdown", "protocols")
    return [f"results/{corpus}/{unit}/{name}.csv" for corpus, unit in RUNS for name in names]


def counts_of(wildcards):
    """The merged counts, where the text is counted in shards."""
    return [f"results/{wildcards.corpus}/{wildcards.unit}/counts/merged"] if config["counting"]["shards"] else []


def kept(model):
    """An n-gram model that stays, or goes when it has been scored."""
    return model if config["keep_ngrams"] else temp(model)
