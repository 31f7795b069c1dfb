"""The card of every run: what decides its result.

Needs  ids.npy, splits.json, vocab.json, check.json
Makes  results/{corpus}/{unit}/{family}/{model}/card.yaml
"""


localrules:
    write_card,


rule write_card:
    input:
        ids="results/{corpus}/{unit}/ids.npy",
        splits="results/{corpus}/{unit}/splits.json",
        vocab="results/{corpus}/{unit}/vocab.json",
        check="results/{corpus}/{unit}/check.json",  # nothing is trained on a text that makes results meaningless
        script=script("write_card"),
        library=library("write_card"),
    output:
        card="results/{corpus}/{unit}/{family}/{model}/card.yaml",
    log:
        "results/{corpus}/{unit}/{family}/{model}/card.log",
    priority: 1  # all cards before any training, so that what can be refused is refused at once
    conda:
        "../../environment.yml"
    params:
        run=run_of,
    message:
        "Writing the card of {wildcards.model} on {wildcards.corpus} by {wildcards.unit}"
    shell:
        "python {input.script:q}"
        " --corpus {wildcards.corpus:q}"
        " --unit {wildcards.unit}"
        " --family {wildcards.family}"
        " --model {wildcards.model}"
        " --run {params.run:q}"
        " --ids {input.ids:q}"
        " --splits {input.splits:q}"
        " --vocab {input.vocab:q}"
        " --output {output.card:q}"
        " > {log:q} 2>&1"
