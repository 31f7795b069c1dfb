"""A finished experiment held against what is committed of it.

Needs  metrics.json and scores.npz of every run, config/expected/{experiment}.csv
Makes  nothing: it prints a verdict for each row and ends with an error where one differs
"""


localrules:
    verify,
    refresh_expected,


rule verify:
    input:
        metrics=all_metrics(),
        lists=all_lists(),
        scores=scores_beside(all_metrics()),
        script=script("verify"),
        library=library("verify"),
    log:
        "results/verify.log",
    conda:
        "../../environment.yml"
    params:
        runs=listed,
        expected=lambda wildcards: expected_results(),
    message:
        "Comparing the results with {params.expected}"
    shell:
        "python {input.script:q} {params.runs:q} --expected {params.expected:q} 2>&1 | tee {log:q}"


rule refresh_expected:
    input:
        metrics=all_metrics(),
        lists=all_lists(),
        scores=scores_beside(all_metrics()),
        script=script("verify"),
        library=library("verify"),
    log:
        "results/refresh_expected.log",
    conda:
        "../../environment.yml"
    params:
        runs=listed,
        expected=lambda wildcards: expected_results(),
    message:
        "Writing {params.expected}"
    shell:
        "python {input.script:q} {params.runs:q} --expected {params.expected:q} --refresh 2>&1 | tee {log:q}"
