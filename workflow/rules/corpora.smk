"""From a source to indices.

Needs  config/corpora.yaml, and for a local text the text itself
Makes  resources/{corpus}/raw.txt, results/{corpus}/clean.txt, results/{corpus}/{unit}/vocab.json, ids.npy, splits.json, check.json
"""


localrules:
    fetch_corpus,


rule fetch_corpus:
    input:
        text=text_of,
        script=script("fetch_corpus"),
        library=library("fetch_corpus"),
    output:
        raw="resources/{corpus}/raw.txt",
    log:
        "resources/{corpus}/fetch.log",
    benchmark:
        "resources/{corpus}/fetch.benchmark.tsv"
    conda:
        "../../environment.yml"
    params:
        definition=definition_of,
    message:
        "Fetching {wildcards.corpus}"
    shell:
        "python {input.script:q}"
        " --name {wildcards.corpus:q}"
        " --definition {params.definition:q}"
        " --text {input.text:q}"
        " --output {output.raw:q}"
        " > {log:q} 2>&1"


rule clean_corpus:
    input:
        raw="resources/{corpus}/raw.txt",
        script=script("clean_corpus"),
        library=library("clean_corpus"),
    output:
        text="results/{corpus}/clean.txt",
    log:
        "results/{corpus}/clean.log",
    benchmark:
        "results/{corpus}/clean.benchmark.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=by_size(1000, 80),
        runtime=by_size(15, 0.1),
    params:
        cleaning=cleaning_of,
        kind=kind_of,
    message:
        "Cleaning {wildcards.corpus}"
    shell:
        "python {input.script:q}"
        " --raw {input.raw:q}"
        " --cleaning {params.cleaning:q}"
        " --kind {params.kind}"
        " --output {output.text:q}"
        " > {log:q} 2>&1"


rule build_vocab:
    input:
        text="results/{corpus}/clean.txt",
        script=script("build_vocab"),
        library=library("build_vocab"),
    output:
        vocab="results/{corpus}/{unit}/vocab.json",
    log:
        "results/{corpus}/{unit}/vocab.log",
    benchmark:
        "results/{corpus}/{unit}/vocab.benchmark.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=by_size(1000, 80),
        runtime=by_size(15, 0.1),
    params:
        min_freq=min_freq_of,
        merges=config["vocab"]["merges"],
        split=json.dumps(config["split"]),
    message:
        "Building the vocabulary of {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}"
        " --text {input.text:q}"
        " --unit {wildcards.unit}"
        " --split {params.split:q}"
        " --min-freq {params.min_freq}"
        " --merges {params.merges}"
        " --output {output.vocab:q}"
        " > {log:q} 2>&1"


rule encode_corpus:
    input:
        text="results/{corpus}/clean.txt",
        vocab="results/{corpus}/{unit}/vocab.json",
        script=script("encode_corpus"),
        library=library("encode_corpus"),
    output:
        ids="results/{corpus}/{unit}/ids.npy",
        splits="results/{corpus}/{unit}/splits.json",
    log:
        "results/{corpus}/{unit}/encode.log",
    benchmark:
        "results/{corpus}/{unit}/encode.benchmark.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=by_size(1000, 80),
        runtime=by_size(15, 0.1),
    params:
        split=json.dumps(config["split"]),
    message:
        "Encoding {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}"
        " --text {input.text:q}"
        " --vocab {input.vocab:q}"
        " --unit {wildcards.unit}"
        " --split {params.split:q}"
        " --ids {output.ids:q}"
        " --splits {output.splits:q}"
        " > {log:q} 2>&1"


rule check_corpus:
    input:
        raw="resources/{corpus}/raw.txt",
        text="results/{corpus}/clean.txt",
        ids="results/{corpus}/{unit}/ids.npy",
        splits="results/{corpus}/{unit}/splits.json",
        vocab="results/{corpus}/{unit}/vocab.json",
        script=script("check_corpus"),
        library=library("check_corpus"),
    output:
        check="results/{corpus}/{unit}/check.json",
    log:
        "results/{corpus}/{unit}/check.log",
    conda:
        "../../environment.yml"
    resources:
        mem_mb=by_size(1000, 80),
        runtime=by_size(15, 0.1),
    params:
        accept=config["checks"]["accept"],
    message:
        "Checking {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}"
        " --raw {input.raw:q}"
        " --text {input.text:q}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --vocab {input.vocab:q}"
        " --unit {wildcards.unit}"
        " --accept {params.accept:q}"
        " --output {output.check:q}"
        " > {log:q} 2>&1"
