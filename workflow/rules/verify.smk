"""Comparison of a finished experiment with its committed reference.

Needs  metrics.json and scores.npz of every run on a text, config/expected/{experiment}.csv
Makes  no files; prints a verdict for each row and fails where one differs
"""

VERIFIED = [run for run in RUNS if run.family != FORECAST]
EXPECTED = os.path.relpath(own(f"expected/{EXPERIMENT}.csv"))


localrules:
    verify,
    refresh_expected,


rule verify:
    input:
        experiment=ancient(f"{FOLDER}/runs.json"),
        metrics=[run.file("metrics.json") for run in VERIFIED],
    log:
        f"{FOLDER}/verify.log",
    conda:
        "../../environment.yml"
    params:
        script=script("verify"),
        code=code_of("verify"),
        expected=EXPECTED,
        refresh="",
    message:
        "Comparing the results with {params.expected}"
    shell:
        "python {params.script:q} --experiment {input.experiment:q} --expected {params.expected:q} {params.refresh}"
        " 2>&1 | tee {log:q}"


use rule verify as refresh_expected with:
    log:
        f"{FOLDER}/refresh_expected.log",
    params:
        script=script("verify"),
        code=code_of("verify"),
        expected=EXPECTED,
        refresh="--refresh",
    message:
        "Writing {params.expected}"
