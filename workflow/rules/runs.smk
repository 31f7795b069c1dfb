"""Which runs there are, one a line: a command that named ten thousand files would be too long for the system.

Needs  nothing but the configuration
Makes  results/{corpus}/{unit}/{family}/runs.txt, the paths of every metrics.json of a family
"""


rule list_runs:
    input:
        template=os.path.relpath(BASE / "workflow/templates/runs.txt"),
    output:
        "results/{corpus}/{unit}/{family}/runs.txt",
    log:
        "results/{corpus}/{unit}/{family}/runs.log",  # stays empty: Snakemake itself fills the template
    params:
        metrics=lambda wildcards: metrics_of(wildcards, (wildcards.family,)),
    message:
        "Listing the runs of {wildcards.family} on {wildcards.corpus} by {wildcards.unit}"
    template_engine:
        "jinja2"
