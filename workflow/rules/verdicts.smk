"""Questions put to the ledger: mixtures of models, which differences are real, and who knows what.

Needs  scores.npz and metrics.json of the models
Makes  results/{corpus}/{unit}/mixture/{model}/scores.npz, metrics.json, and results/{corpus}/{unit}/verdicts.csv,
       breakdown.csv, contrast.json, protocols.csv
"""


localrules:
    score_mixture,
    compare_models,
    explain_models,


rule score_mixture:
    input:
        card="results/{corpus}/{unit}/mixture/{model}/card.yaml",
        splits="results/{corpus}/{unit}/splits.json",
        parts=parts_of,
        lists=part_lists_of,
        scores=lambda wildcards: scores_beside(parts_of(wildcards)),
        script=script("score_mixture"),
        library=library("score_mixture"),
    output:
        scores="results/{corpus}/{unit}/mixture/{model}/scores.npz",
        metrics="results/{corpus}/{unit}/mixture/{model}/metrics.json",
    log:
        "results/{corpus}/{unit}/mixture/{model}/score.log",
    conda:
        "../../environment.yml"
    params:
        runs=listed,
    message:
        "Mixing {wildcards.model} on {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}"
        " --card {input.card:q}"
        " --splits {input.splits:q}"
        " --parts {params.runs:q}"
        " --scores {output.scores:q}"
        " --metrics {output.metrics:q}"
        " > {log:q} 2>&1"


rule compare_models:
    input:
        metrics=metrics_of,
        lists=lists_of,
        scores=lambda wildcards: scores_beside(metrics_of(wildcards)),
        script=script("compare_models"),
        library=library("compare_models"),
    output:
        verdicts=report(
            "results/{corpus}/{unit}/verdicts.csv", caption="../report/verdicts.rst", category="{corpus} by {unit}"
        ),
    log:
        "results/{corpus}/{unit}/compare_models.log",
    conda:
        "../../environment.yml"
    params:
        runs=listed,
    message:
        "Comparing the models of {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}" " {params.runs:q}" " --output {output.verdicts:q}" " > {log:q} 2>&1"


rule explain_models:
    input:
        metrics=metrics_of,
        lists=lists_of,
        scores=lambda wildcards: scores_beside(metrics_of(wildcards)),
        ids="results/{corpus}/{unit}/ids.npy",
        splits="results/{corpus}/{unit}/splits.json",
        vocab="results/{corpus}/{unit}/vocab.json",
        script=script("explain_models"),
        library=library("explain_models"),
    output:
        breakdown="results/{corpus}/{unit}/breakdown.csv",
        contrast="results/{corpus}/{unit}/contrast.json",
    log:
        "results/{corpus}/{unit}/explain_models.log",
    conda:
        "../../environment.yml"
    params:
        runs=listed,
    message:
        "Explaining the models of {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}"
        " {params.runs:q}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --vocab {input.vocab:q}"
        " --unit {wildcards.unit}"
        " --breakdown {output.breakdown:q}"
        " --contrast {output.contrast:q}"
        " > {log:q} 2>&1"


rule compare_protocols:
    input:
        metrics=lambda wildcards: metrics_of(wildcards, ("rnn",)),
        lists=lambda wildcards: lists_of(wildcards, ("rnn",)),
        scores=lambda wildcards: scores_beside(metrics_of(wildcards, ("rnn",))),
        weights=weights_of,
        ids="results/{corpus}/{unit}/ids.npy",
        splits="results/{corpus}/{unit}/splits.json",
        vocab="results/{corpus}/{unit}/vocab.json",
        script=script("compare_protocols"),
        library=library("compare_protocols"),
    output:
        protocols=report(
            "results/{corpus}/{unit}/protocols.csv", caption="../report/protocols.rst", category="{corpus} by {unit}"
        ),
    log:
        "results/{corpus}/{unit}/compare_protocols.log",
    conda:
        "../../environment.yml"
    threads: config["rnn"]["threads"]
    resources:
        mem_mb=by_size(2000, 10),
        runtime=by_size(60),
        gpu=gpus,
        device=config["rnn"]["device"],
        jobs_per_gpu=config["rnn"]["jobs_per_gpu"],
    params:
        runs=listed,
        windows=config["protocols"]["windows"],
    message:
        "Comparing protocols on {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}"
        " {params.runs:q}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --vocab {input.vocab:q}"
        " --windows {params.windows}"
        " --device {resources.device}"
        " --jobs-per-gpu {resources.jobs_per_gpu}"
        " --threads {threads}"
        " --output {output.protocols:q}"
        " > {log:q} 2>&1"
