"""Finished runs published to MLflow: one local job, which may be repeated.

Needs  metrics.json of every run, the tables and the figures
Makes  results/tracking.json (the receipt), results/mlflow.db (a cache: delete it and it is rebuilt)

With tracking.live a program that starts and ends with Snakemake, seqlab.tracking.follower, mirrors the learning curves
of networks in training.
"""


localrules:
    track_runs,


rule track_runs:
    input:
        metrics=all_metrics(),
        lists=[*all_lists(), *all_forecast_lists()],
        tables=all_summaries(),
        figures=all_figures(),
        forecasts=all_forecast_metrics(),
        forecast_tables=all_forecast_tables(),
        forecast_figures=all_forecast_figures(),
        script=script("track_runs"),
        library=library("track_runs"),
    output:
        receipt="results/tracking.json",
    log:
        "results/tracking.log",
    conda:
        "../../environment.yml"
    params:
        runs=listed,
        uri=lambda wildcards: tracking_address(),
        sweep=lambda wildcards: experiment_name(),
        command=lambda wildcards: command_again(),
    message:
        "Publishing all runs to MLflow"
    shell:
        "python {input.script:q}"
        " {params.runs:q}"
        " --results results"
        " --uri={params.uri:q}"
        " --sweep {params.sweep:q}"
        " --command {params.command:q}"
        " --output {output.receipt:q}"
        " > {log:q} 2>&1"
