"""n-gram models, from counts to scores.

Needs  ids.npy, splits.json, vocab.json of the prepared corpus, and counts/merged/ where the text is counted in shards
Makes  results/{experiment}/{corpus}/{unit}/ngram/{model}/card.yaml, model.npz, training.json, scores.npz, metrics.json,
       sample.txt, and model.arpa.gz if requested; of models of lines lines/{model}/ with model/ instead of model.npz
       and without sample.txt
"""

PRUNED = {  # a pruned n-gram -> its unpruned model
    configuration.ngram_name(**settings): configuration.ngram_name(settings["smoothing"], settings["order"])
    for settings in configuration.ngram_runs(config["ngram"]).values()
    if "prune" in settings
}
WHOLE = [model for model in configuration.ngram_runs(config["ngram"]) if model not in PRUNED]


scattergather:
    counts=max(1, config["counting"]["shards"]),


rule count_shard:
    input:
        ids=prepared("ids.npy"),
        splits=prepared("splits.json"),
        vocab=prepared("vocab.json"),
    output:
        parts=temp(directory("results/{experiment}/{corpus}/{unit}/counts/{scatteritem}")),
    log:
        "results/{experiment}/{corpus}/{unit}/counts/{scatteritem}.log",
    benchmark:
        "results/{experiment}/{corpus}/{unit}/counts/{scatteritem}.benchmark.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=counting_memory,
        runtime=by_size(60, 0.5),
    params:
        script=script("count_shard"),
        code=code_of("count_shard"),
        order=highest_order,
        memory=config["counting"]["memory_mb"],
    message:
        "Counting the n-grams of {wildcards.corpus} by {wildcards.unit}, shard {wildcards.scatteritem}"
    shell:
        "python {params.script:q}"
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
        parts=gather.counts("results/{{experiment}}/{{corpus}}/{{unit}}/counts/{scatteritem}"),
        vocab=prepared("vocab.json"),
    output:
        counts=directory("results/{experiment}/{corpus}/{unit}/counts/merged"),
    log:
        "results/{experiment}/{corpus}/{unit}/counts/merge.log",
    benchmark:
        "results/{experiment}/{corpus}/{unit}/counts/merge.benchmark.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=counting_memory,
        runtime=by_size(60, 0.5),
    params:
        script=script("merge_counts"),
        code=code_of("merge_counts"),
        order=highest_order,
        memory=config["counting"]["memory_mb"],
    message:
        "Merging the n-gram counts of {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {params.script:q}"
        " {input.parts:q}"
        " --vocab {input.vocab:q}"
        " --order {params.order}"
        " --memory {params.memory}"
        " --counts {output.counts:q}"
        " > {log:q} 2>&1"


rule train_ngram:
    input:
        check="results/{experiment}/{corpus}/{unit}/check.json",  # no training on an unusable text
        ids=prepared("ids.npy"),
        splits=prepared("splits.json"),
        vocab=prepared("vocab.json"),
        counts=counts_of,
    output:
        card="results/{experiment}/{corpus}/{unit}/ngram/{model}/card.yaml",
        model=kept("results/{experiment}/{corpus}/{unit}/ngram/{model}/model.npz"),
        training="results/{experiment}/{corpus}/{unit}/ngram/{model}/training.json",
        scores="results/{experiment}/{corpus}/{unit}/ngram/{model}/scores.npz",
        metrics="results/{experiment}/{corpus}/{unit}/ngram/{model}/metrics.json",
        sample="results/{experiment}/{corpus}/{unit}/ngram/{model}/sample.txt",
    log:
        "results/{experiment}/{corpus}/{unit}/ngram/{model}/train.log",
    benchmark:
        "results/{experiment}/{corpus}/{unit}/ngram/{model}/train.benchmark.tsv"
    wildcard_constraints:
        model="|".join(map(re.escape, WHOLE)) or "(?!)",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=by_size(1000, 150),
        runtime=by_size(30, 0.5),
    params:
        script=script("train_ngram"),
        code=code_of("train_ngram"),
        run=run_of("ngram"),
        sample=sample_of,
    message:
        "Estimating {wildcards.model} on {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {params.script:q}"
        " --run {params.run:q}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --vocab {input.vocab:q}"
        " --counts {input.counts:q}"
        " --sample {params.sample:q}"
        " --folder $(dirname {output.card:q})"
        " > {log:q} 2>&1"


rule prune_ngram:
    input:
        ids=prepared("ids.npy"),
        splits=prepared("splits.json"),
        vocab=prepared("vocab.json"),
        counts=counts_of,
        whole=whole_of("model.npz"),
        whole_training=whole_of("training.json"),
    output:
        card="results/{experiment}/{corpus}/{unit}/ngram/{model}/card.yaml",
        model=kept("results/{experiment}/{corpus}/{unit}/ngram/{model}/model.npz"),
        training="results/{experiment}/{corpus}/{unit}/ngram/{model}/training.json",
        scores="results/{experiment}/{corpus}/{unit}/ngram/{model}/scores.npz",
        metrics="results/{experiment}/{corpus}/{unit}/ngram/{model}/metrics.json",
        sample="results/{experiment}/{corpus}/{unit}/ngram/{model}/sample.txt",
    log:
        "results/{experiment}/{corpus}/{unit}/ngram/{model}/prune.log",
    benchmark:
        "results/{experiment}/{corpus}/{unit}/ngram/{model}/prune.benchmark.tsv"
    wildcard_constraints:
        model="|".join(map(re.escape, PRUNED)) or "(?!)",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=by_size(1000, 150),
        runtime=by_size(15, 0.2),
    params:
        script=script("prune_ngram"),
        code=code_of("prune_ngram"),
        run=run_of("ngram"),
        whole=lambda wildcards: PRUNED[wildcards.model],
        sample=sample_of,
    message:
        "Pruning {params.whole} of {wildcards.corpus} by {wildcards.unit}: {wildcards.model}"
    shell:
        "python {params.script:q}"
        " --run {params.run:q}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --vocab {input.vocab:q}"
        " --counts {input.counts:q}"
        " --whole {input.whole:q}"
        " --whole-training {input.whole_training:q}"
        " --name {params.whole:q}"
        " --sample {params.sample:q}"
        " --folder $(dirname {output.card:q})"
        " > {log:q} 2>&1"


rule train_lines:
    input:
        check="results/{experiment}/{corpus}/{unit}/check.json",
        text="results/corpora/{corpus}/clean.txt",
        ids=prepared("ids.npy"),
        splits=prepared("splits.json"),
        vocab=prepared("vocab.json"),
    output:
        card="results/{experiment}/{corpus}/{unit}/lines/{model}/card.yaml",
        model=kept("results/{experiment}/{corpus}/{unit}/lines/{model}/model/model.ngram"),
        description=kept("results/{experiment}/{corpus}/{unit}/lines/{model}/model/model.json"),
        training="results/{experiment}/{corpus}/{unit}/lines/{model}/training.json",
        scores="results/{experiment}/{corpus}/{unit}/lines/{model}/scores.npz",
        metrics="results/{experiment}/{corpus}/{unit}/lines/{model}/metrics.json",
    log:
        "results/{experiment}/{corpus}/{unit}/lines/{model}/train.log",
    benchmark:
        "results/{experiment}/{corpus}/{unit}/lines/{model}/train.benchmark.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=by_size(1000, 150),
        runtime=by_size(30, 0.5),
    params:
        script=script("train_lines"),
        code=code_of("train_lines"),
        run=run_of("lines"),
    message:
        "Estimating {wildcards.model} on {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {params.script:q}"
        " --run {params.run:q}"
        " --text {input.text:q}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --vocab {input.vocab:q}"
        " --folder $(dirname {output.card:q})"
        " > {log:q} 2>&1"


rule write_arpa:
    input:
        model="results/{experiment}/{corpus}/{unit}/ngram/{model}/model.npz",
        vocab=prepared("vocab.json"),
    output:
        arpa="results/{experiment}/{corpus}/{unit}/ngram/{model}/model.arpa.gz",
    log:
        "results/{experiment}/{corpus}/{unit}/ngram/{model}/arpa.log",
    priority: 1  # before the model is deleted
    conda:
        "../../environment.yml"
    resources:
        mem_mb=by_size(1000, 10),
        runtime=by_size(15, 0.1),
    params:
        script=script("write_arpa"),
        code=code_of("write_arpa"),
    message:
        "Writing {wildcards.model} of {wildcards.corpus} by {wildcards.unit} as ARPA"
    shell:
        "python {params.script:q}"
        " --model {input.model:q}"
        " --vocab {input.vocab:q}"
        " --arpa {output.arpa:q}"
        " > {log:q} 2>&1"
