"""Publication of finished runs to MLflow, in one repeatable local job.

Needs  metrics.json and the other published files of every run, the tables and the figures
Makes  results/{experiment}/tracking.json (the receipt), results/mlflow.db (a cache, rebuilt after deletion)

With tracking.live the program seqlab.tracking.live.follower, which starts and ends with Snakemake, mirrors the learning
curves of networks in training.
"""


localrules:
    track_runs,


rule track_runs:
    input:
        experiment="results/{experiment}/runs.json",
        metrics=[run.file("metrics.json") for run in RUNS],
        cards=[run.file("card.yaml") for run in RUNS],
        samples=[run.file("sample.txt") for run in RUNS if run.family in ("source", "ngram", "rnn")],
        histories=[run.file("history.csv") for run in RUNS if "cell" in RUNS[run]["settings"]],
        orders=[run.file("orders.csv") for run in RUNS if run.model == "autoregression"],
        tables=all_tables(),
        figures=all_figures(),
    output:
        receipt="results/{experiment}/tracking.json",
    log:
        "results/{experiment}/tracking.log",
    conda:
        "../../environment.yml"
    params:
        script=script("track_runs"),
        code=code_of("track_runs"),
        uri=lambda wildcards: tracking_address(),
    message:
        "Publishing all runs to MLflow"
    shell:
        "python {params.script:q}"
        " --experiment {input.experiment:q}"
        " --results results"
        " --uri={params.uri:q}"
        " --output {output.receipt:q}"
        " > {log:q} 2>&1"
