"""Recurrent networks: every configuration is one job, which trains all its seeds and scores them.

Needs  ids.npy, splits.json, vocab.json of the prepared corpus
Makes  results/{experiment}/{corpus}/{unit}/rnn/{model}/card.yaml, weights.safetensors, network.json, training.json,
       history.csv, scores.npz, metrics.json, sample.txt
"""

@cache
def vocabulary_of(path):
    """How many entries a vocab.json has."""
    return len(json.loads(Path(path).read_text(encoding="utf-8"))["tokens"])


def training_memory(wildcards, input, attempt):
    """Megabytes that a network needs in training: the text, the weights with all that is kept of each, and a batch."""
    run = RUNS[Run(*place_of(wildcards), "rnn", wildcards.model)]
    hidden, layers, settings = run["settings"]["hidden"], run["settings"]["layers"], run["settings"]
    vocabulary = vocabulary_of(str(input.vocab))
    weights = 8 * layers * hidden**2 + 2 * vocabulary * hidden  # those of an LSTM; others have fewer
    batch = settings["batch_size"] * settings["steps"] * (4 * vocabulary + 16 * layers * hidden)
    numbers = len(run["seeds"]) * (7 * weights + 2 * batch)  # also gradients, two moments, a mean and the best so far
    return attempt * math.ceil(2000 + (4 * numbers + 40 * os.path.getsize(input.ids)) / 1e6)


rule train_rnn:
    input:
        check="results/{experiment}/{corpus}/{unit}/check.json",  # nothing learns from a text that makes results meaningless
        ids=prepared("ids.npy"),
        splits=prepared("splits.json"),
        vocab=prepared("vocab.json"),
    output:
        card="results/{experiment}/{corpus}/{unit}/rnn/{model}/card.yaml",
        weights="results/{experiment}/{corpus}/{unit}/rnn/{model}/weights.safetensors",
        network="results/{experiment}/{corpus}/{unit}/rnn/{model}/network.json",
        training="results/{experiment}/{corpus}/{unit}/rnn/{model}/training.json",
        history="results/{experiment}/{corpus}/{unit}/rnn/{model}/history.csv",
        scores="results/{experiment}/{corpus}/{unit}/rnn/{model}/scores.npz",
        metrics="results/{experiment}/{corpus}/{unit}/rnn/{model}/metrics.json",
        sample="results/{experiment}/{corpus}/{unit}/rnn/{model}/sample.txt",
    log:
        "results/{experiment}/{corpus}/{unit}/rnn/{model}/train.log",
    benchmark:
        "results/{experiment}/{corpus}/{unit}/rnn/{model}/train.benchmark.tsv"
    conda:
        "../../environment.yml"
    threads: config["rnn"]["threads"]
    resources:
        mem_mb=training_memory,
        runtime=by_size(240),  # whatever is left goes on in the next attempt
        gpu=gpus,
        device=config["rnn"]["device"],
        jobs_per_gpu=config["rnn"]["jobs_per_gpu"],
    params:
        script=script("train_rnn"),
        code=code_of("train_rnn"),
        run=run_of("rnn"),
        sample=sample_of,
    message:
        "Training {wildcards.model} on {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {params.script:q}"
        " --run {params.run:q}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --vocab {input.vocab:q}"
        " --code {params.code}"
        " --sample {params.sample:q}"
        " --device {resources.device}"
        " --jobs-per-gpu {resources.jobs_per_gpu}"
        " --threads {threads}"
        " --folder $(dirname {output.card:q})"
        " 2>&1 | tee -i {log:q}"
