"""Write runs.json: the runs of the experiment, its configuration and command.

Snakemake passes the runs as an object, since a command line with thousands of them would be too long.
"""

from seqlab.io.runs import write_experiment

job = snakemake  # noqa: F821, defined by the directive `script:`
write_experiment(job.output[0], *job.params.experiment)
