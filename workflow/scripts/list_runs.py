"""Write runs.json: every run of the experiment, and what asked for them.

Snakemake hands the runs on as an object, since a command that named thousands of them would be too long.
"""

from seqlab.io.runs import write_experiment

job = snakemake  # noqa: F821, the directive `script:` puts it here
write_experiment(job.output[0], *job.params.experiment)
