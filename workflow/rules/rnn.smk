"""Recurrent networks: every configuration is one job that trains all its seeds.

Needs  card.yaml, ids.npy, splits.json, vocab.json
Makes  results/{corpus}/{unit}/rnn/{model}/weights.safetensors, network.json, training.json, history.csv, then scores.npz, metrics.json, sample.txt
"""


rule train_rnn:
    input:
        card="results/{corpus}/{unit}/rnn/{model}/card.yaml",
        ids="results/{corpus}/{unit}/ids.npy",
        splits="results/{corpus}/{unit}/splits.json",
        vocab="results/{corpus}/{unit}/vocab.json",
        script=script("train_rnn"),
        library=library("train_rnn"),
    output:
        weights="results/{corpus}/{unit}/rnn/{model}/weights.safetensors",
        network="results/{corpus}/{unit}/rnn/{model}/network.json",
        training="results/{corpus}/{unit}/rnn/{model}/training.json",
        history="results/{corpus}/{unit}/rnn/{model}/history.csv",
    log:
        "results/{corpus}/{unit}/rnn/{model}/train.log",
    benchmark:
        "results/{corpus}/{unit}/rnn/{model}/train.benchmark.tsv"
    conda:
        "../../environment.yml"
    threads: config["rnn"]["threads"]
    resources:
        mem_mb=training_memory,
        runtime=by_size(240),  # whatever is left goes on in the next attempt
        gpu=gpus,
        device=config["rnn"]["device"],
        jobs_per_gpu=config["rnn"]["jobs_per_gpu"],
    message:
        "Training {wildcards.model} on {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}"
        " --card {input.card:q}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --vocab {input.vocab:q}"
        " --code {input.script:q} {input.library:q}"
        " --device {resources.device}"
        " --jobs-per-gpu {resources.jobs_per_gpu}"
        " --threads {threads}"
        " --folder $(dirname {output.weights:q})"
        " 2>&1 | tee -i {log:q}"


rule score_rnn:
    input:
        card="results/{corpus}/{unit}/rnn/{model}/card.yaml",
        ids="results/{corpus}/{unit}/ids.npy",
        splits="results/{corpus}/{unit}/splits.json",
        vocab="results/{corpus}/{unit}/vocab.json",
        weights="results/{corpus}/{unit}/rnn/{model}/weights.safetensors",
        network="results/{corpus}/{unit}/rnn/{model}/network.json",
        training="results/{corpus}/{unit}/rnn/{model}/training.json",
        script=script("score_rnn"),
        library=library("score_rnn"),
    output:
        scores="results/{corpus}/{unit}/rnn/{model}/scores.npz",
        metrics="results/{corpus}/{unit}/rnn/{model}/metrics.json",
        sample="results/{corpus}/{unit}/rnn/{model}/sample.txt",
    log:
        "results/{corpus}/{unit}/rnn/{model}/score.log",
    benchmark:
        "results/{corpus}/{unit}/rnn/{model}/score.benchmark.tsv"
    conda:
        "../../environment.yml"
    threads: config["rnn"]["threads"]
    resources:
        mem_mb=by_size(2000, 30),
        runtime=by_size(60, 1),
        gpu=gpus,
        device=config["rnn"]["device"],
        jobs_per_gpu=config["rnn"]["jobs_per_gpu"],
    params:
        sample=sample_of,
    message:
        "Scoring {wildcards.model} on {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}"
        " --card {input.card:q}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --vocab {input.vocab:q}"
        " --training {input.training:q}"
        " --folder $(dirname {input.weights:q})"
        " --sample-settings {params.sample:q}"
        " --device {resources.device}"
        " --jobs-per-gpu {resources.jobs_per_gpu}"
        " --threads {threads}"
        " --scores {output.scores:q}"
        " --metrics {output.metrics:q}"
        " --sample {output.sample:q}"
        " > {log:q} 2>&1"
