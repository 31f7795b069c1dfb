"""Provenance of an experiment, and its results as a research object that others can check.

Needs  metrics.json of every run, the tables, figures and the report, the project itself
Makes  results/{experiment}/provenance.json and changes.diff, and for `snakemake publish` results/{experiment}/crate.zip
"""


localrules:
    record_provenance,
    publish,


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


rule publish:
    input:
        experiment=f"{FOLDER}/runs.json",
        page=f"{FOLDER}/report.html",
        provenance=f"{FOLDER}/provenance.json",
        metrics=[run.file("metrics.json") for run in RUNS],
        tables=all_tables(),
        figures=all_figures(),
    output:
        crate=f"{FOLDER}/crate.zip",
    log:
        f"{FOLDER}/publish.log",
    conda:
        "../../environment.yml"
    params:
        script=script("publish"),
        code=code_of("publish"),
        project=os.path.relpath(BASE),
        packed=lambda wildcards: digest_of_files(*list_project_files(BASE)),
        configuration=lambda wildcards: json.dumps(published_configuration()),
        definitions=lambda wildcards: json.dumps(published_definitions()),
    message:
        "Packing {output.crate}"
    shell:
        "python {params.script:q}"
        " --experiment {input.experiment:q}"
        " --configuration {params.configuration:q}"
        " --definitions {params.definitions:q}"
        " --project {params.project:q}"
        " --output {output.crate:q}"
        " 2>&1 | tee {log:q}"
