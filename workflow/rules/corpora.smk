"""Corpora: download, cleaning, encoding and checks, shared by experiments with the same preparation.

Needs  config/corpora.yaml, and for a local text the text itself
Makes  resources/{corpus}/raw.txt, results/corpora/{corpus}/source.json, clean.txt,
       results/corpora/{corpus}/{prepared}/vocab.json, ids.npy, splits.json, unknown.json, bytes.npz,
       and results/{experiment}/{corpus}/{unit}/check.json
"""


localrules:
    fetch_corpus,


rule fetch_corpus:
    input:
        text=lambda wildcards: configuration.list_local_texts(CORPORA[wildcards.corpus]),
    output:
        raw="resources/{corpus}/raw.txt",
        source="results/corpora/{corpus}/source.json",
    log:
        "resources/{corpus}/fetch.log",
    benchmark:
        "resources/{corpus}/fetch.benchmark.tsv"
    conda:
        "../../environment.yml"
    params:
        script=script("fetch_corpus"),
        code=code_of("fetch_corpus"),
        definition=definition_of,
    message:
        "Fetching {wildcards.corpus}"
    shell:
        "python {params.script:q}"
        " --name {wildcards.corpus:q}"
        " --definition {params.definition:q}"
        " --text {input.text:q}"
        " --output {output.raw:q}"
        " --source {output.source:q}"
        " > {log:q} 2>&1"


rule clean_corpus:
    input:
        raw="resources/{corpus}/raw.txt",
    output:
        text="results/corpora/{corpus}/clean.txt",
    log:
        "results/corpora/{corpus}/clean.log",
    benchmark:
        "results/corpora/{corpus}/clean.benchmark.tsv"
    conda:
        "../../environment.yml"
    resources:
        mem_mb=by_size(1000, 80),
        runtime=by_size(15, 0.1),
    params:
        script=script("clean_corpus"),
        code=code_of("clean_corpus"),
        cleaning=lambda wildcards: CORPORA[wildcards.corpus]["cleaning"],
        kind=lambda wildcards: CORPORA[wildcards.corpus]["kind"],
    message:
        "Cleaning {wildcards.corpus}"
    shell:
        "python {params.script:q}"
        " --raw {input.raw:q}"
        " --cleaning {params.cleaning:q}"
        " --kind {params.kind}"
        " --output {output.text:q}"
        " > {log:q} 2>&1"


rule encode_corpus:
    input:
        text="results/corpora/{corpus}/clean.txt",
    output:
        vocab="results/corpora/{corpus}/{prepared}/vocab.json",
        ids="results/corpora/{corpus}/{prepared}/ids.npy",
        splits="results/corpora/{corpus}/{prepared}/splits.json",
        unknown="results/corpora/{corpus}/{prepared}/unknown.json",
        bytes="results/corpora/{corpus}/{prepared}/bytes.npz",
    log:
        "results/corpora/{corpus}/{prepared}/encode.log",
    benchmark:
        "results/corpora/{corpus}/{prepared}/encode.benchmark.tsv"
    wildcard_constraints:
        prepared="({})(-[0-9a-f]+)?".format("|".join(UNITS)),
    conda:
        "../../environment.yml"
    resources:
        mem_mb=by_size(1000, 120),
        runtime=by_size(15, 0.2),
    params:
        script=script("encode_corpus"),
        code=code_of("encode_corpus"),
        unit=unit_of,
        preparation=lambda wildcards: json.dumps(configuration.preparation(config, unit_of(wildcards))),
    message:
        "Encoding {wildcards.corpus} by {params.unit}"
    shell:
        "python {params.script:q}"
        " --text {input.text:q}"
        " --unit {params.unit}"
        " --preparation {params.preparation:q}"
        " --folder $(dirname {output.ids:q})"
        " > {log:q} 2>&1"


rule check_corpus:
    input:
        raw="resources/{corpus}/raw.txt",
        text="results/corpora/{corpus}/clean.txt",
        ids=prepared("ids.npy"),
        splits=prepared("splits.json"),
        vocab=prepared("vocab.json"),
    output:
        check="results/{experiment}/{corpus}/{unit}/check.json",
    log:
        "results/{experiment}/{corpus}/{unit}/check.log",
    priority: 1  # before any training, so that an unusable text fails early
    conda:
        "../../environment.yml"
    resources:
        mem_mb=by_size(1000, 80),
        runtime=by_size(15, 0.1),
    params:
        script=script("check_corpus"),
        code=code_of("check_corpus"),
        accept=config["checks"]["accept"],
        need=lambda wildcards: json.dumps(NEEDS[place_of(wildcards)]),
    message:
        "Checking {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {params.script:q}"
        " --corpus {wildcards.corpus:q}"
        " --raw {input.raw:q}"
        " --text {input.text:q}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --vocab {input.vocab:q}"
        " --unit {wildcards.unit}"
        " --accept {params.accept:q}"
        " --need {params.need:q}"
        " --output {output.check:q}"
        " > {log:q} 2>&1"
