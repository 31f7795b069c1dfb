"""n-gram models.

Needs  card.yaml, ids.npy, splits.json, vocab.json, and counts/merged/ where the text is counted in shards
Makes  results/{corpus}/{unit}/ngram/{model}/model.npz, training.json, then scores.npz, metrics.json, sample.txt, and
       model.arpa.gz where it is asked for
"""


wildcard_constraints:
    whole="[a-z-]+-[0-9]+",
    way="(entropy|counts)-[0-9e.-]+",


rule train_ngram:
    input:
        card="results/{corpus}/{unit}/ngram/{model}/card.yaml",
        ids="results/{corpus}/{unit}/ids.npy",
        splits="results/{corpus}/{unit}/splits.json",
        vocab="results/{corpus}/{unit}/vocab.json",
        counts=counts_of,
        script=script("train_ngram"),
        library=library("train_ngram"),
    output:
        model=kept("results/{corpus}/{unit}/ngram/{model}/model.npz"),
        training="results/{corpus}/{unit}/ngram/{model}/training.json",
    log:
        "results/{corpus}/{unit}/ngram/{model}/train.log",
    benchmark:
        "results/{corpus}/{unit}/ngram/{model}/train.benchmark.tsv"
    wildcard_constraints:
        model="[a-z-]+-[0-9]+",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=by_size(1000, 150),
        runtime=by_size(30, 0.5),
    message:
        "Estimating {wildcards.model} on {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}"
        " --card {input.card:q}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --vocab {input.vocab:q}"
        " --counts {input.counts:q}"
        " --model {output.model:q}"
        " --training {output.training:q}"
        " > {log:q} 2>&1"


rule prune_ngram:
    input:
        card="results/{corpus}/{unit}/ngram/{whole}-{way}/card.yaml",
        ids="results/{corpus}/{unit}/ids.npy",
        splits="results/{corpus}/{unit}/splits.json",
        counts=counts_of,
        whole="results/{corpus}/{unit}/ngram/{whole}/model.npz",
        whole_training="results/{corpus}/{unit}/ngram/{whole}/training.json",
        script=script("prune_ngram"),
        library=library("prune_ngram"),
    output:
        model=kept("results/{corpus}/{unit}/ngram/{whole}-{way}/model.npz"),
        training="results/{corpus}/{unit}/ngram/{whole}-{way}/training.json",
    log:
        "results/{corpus}/{unit}/ngram/{whole}-{way}/prune.log",
    benchmark:
        "results/{corpus}/{unit}/ngram/{whole}-{way}/prune.benchmark.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=by_size(1000, 10),
        runtime=by_size(15, 0.1),
    message:
        "Pruning {wildcards.whole} of {wildcards.corpus} by {wildcards.unit}: {wildcards.way}"
    shell:
        "python {input.script:q}"
        " --card {input.card:q}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --counts {input.counts:q}"
        " --whole {input.whole:q}"
        " --whole-training {input.whole_training:q}"
        " --name {wildcards.whole:q}"
        " --model {output.model:q}"
        " --training {output.training:q}"
        " > {log:q} 2>&1"


rule write_arpa:
    input:
        model="results/{corpus}/{unit}/ngram/{model}/model.npz",
        vocab="results/{corpus}/{unit}/vocab.json",
        script=script("write_arpa"),
        library=library("write_arpa"),
    output:
        arpa="results/{corpus}/{unit}/ngram/{model}/model.arpa.gz",
    log:
        "results/{corpus}/{unit}/ngram/{model}/arpa.log",
    priority: 1  # as scoring: while the model is still there
    conda:
        "../../environment.yml"
    resources:
        mem_mb=by_size(1000, 10),
        runtime=by_size(15, 0.1),
    message:
        "Writing {wildcards.model} of {wildcards.corpus} by {wildcards.unit} as ARPA"
    shell:
        "python {input.script:q}"
        " --model {input.model:q}"
        " --vocab {input.vocab:q}"
        " --arpa {output.arpa:q}"
        " > {log:q} 2>&1"


rule score_ngram:
    input:
        card="results/{corpus}/{unit}/ngram/{model}/card.yaml",
        ids="results/{corpus}/{unit}/ids.npy",
        splits="results/{corpus}/{unit}/splits.json",
        vocab="results/{corpus}/{unit}/vocab.json",
        model="results/{corpus}/{unit}/ngram/{model}/model.npz",
        training="results/{corpus}/{unit}/ngram/{model}/training.json",
        script=script("score_ngram"),
        library=library("score_ngram"),
    output:
        scores="results/{corpus}/{unit}/ngram/{model}/scores.npz",
        metrics="results/{corpus}/{unit}/ngram/{model}/metrics.json",
        sample="results/{corpus}/{unit}/ngram/{model}/sample.txt",
    log:
        "results/{corpus}/{unit}/ngram/{model}/score.log",
    benchmark:
        "results/{corpus}/{unit}/ngram/{model}/score.benchmark.tsv"
    priority: 1  # before the next model is trained, so that models that do not stay go early
    conda:
        "../../environment.yml"
    resources:
        mem_mb=by_size(1000, 10),
        runtime=by_size(15, 0.1),
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
        " --model {input.model:q}"
        " --training {input.training:q}"
        " --sample-settings {params.sample:q}"
        " --scores {output.scores:q}"
        " --metrics {output.metrics:q}"
        " --sample {output.sample:q}"
        " > {log:q} 2>&1"
