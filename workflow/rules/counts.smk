"""Counts of a text that is larger than memory: in shards, then merged. Used where counting.shards is above 0.

Needs  ids.npy, splits.json, vocab.json
Makes  results/{corpus}/{unit}/counts/{1-of-3}/ (removed when merged), results/{corpus}/{unit}/counts/merged/
"""


scattergather:
    counts=max(1, config["counting"]["shards"]),


rule count_shard:
    input:
        ids="results/{corpus}/{unit}/ids.npy",
        splits="results/{corpus}/{unit}/splits.json",
        vocab="results/{corpus}/{unit}/vocab.json",
        script=script("count_shard"),
        library=library("count_shard"),
    output:
        parts=temp(directory("results/{corpus}/{unit}/counts/{scatteritem}")),
    log:
        "results/{corpus}/{unit}/counts/{scatteritem}.log",
    benchmark:
        "results/{corpus}/{unit}/counts/{scatteritem}.benchmark.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=counting_memory,
        runtime=by_size(60, 0.5),
    params:
        order=highest_order,
        memory=config["counting"]["memory_mb"],
    message:
        "Counting the n-grams of {wildcards.corpus} by {wildcards.unit}, shard {wildcards.scatteritem}"
    shell:
        "python {input.script:q}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --vocab {input.vocab:q}"
        " --order {params.order}"
        " --shard {wildcards.scatteritem}"
        " --memory {params.memory}"
        " --parts {output.parts:q}"
        " > {log:q} 2>&1"


rule merge_counts:
    input:
        parts=gather.counts("results/{{corpus}}/{{unit}}/counts/{scatteritem}"),
        vocab="results/{corpus}/{unit}/vocab.json",
        script=script("merge_counts"),
        library=library("merge_counts"),
    output:
        counts=directory("results/{corpus}/{unit}/counts/merged"),
    log:
        "results/{corpus}/{unit}/counts/merge.log",
    benchmark:
        "results/{corpus}/{unit}/counts/merge.benchmark.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=counting_memory,
        runtime=by_size(60, 0.5),
    params:
        order=highest_order,
        memory=config["counting"]["memory_mb"],
    message:
        "Merging the n-gram counts of {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}"
        " {input.parts:q}"
        " --vocab {input.vocab:q}"
        " --order {params.order}"
        " --memory {params.memory}"
        " --counts {output.counts:q}"
        " > {log:q} 2>&1"
