"""Provenance of an experiment, and its results as a research object that others can check.

Needs  metrics.json of every run, the report and the files that it reads, config/, the programs and the library
Makes  results/{experiment}/provenance.json and changes.diff, and for `snakemake publish` results/{experiment}/crate.zip
"""


localrules:
    record_provenance,


rule record_provenance:
    input:
        metrics=[run.file("metrics.json") for run in RUNS],
    output:
        provenance="results/{experiment}/provenance.json",
        changes="results/{experiment}/changes.diff",
    log:
        "results/{experiment}/provenance.log",
    conda:
        "../../environment.yml"
    params:
        script=script("record_provenance"),
        code=code_of("record_provenance"),
    message:
        "Recording commit, uncommitted changes and versions"
    shell:
        "python {params.script:q} --provenance {output.provenance:q} --changes {output.changes:q} > {log:q} 2>&1"
