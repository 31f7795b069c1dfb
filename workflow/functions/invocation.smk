"""This call of Snakemake: its name and its command line, and what starts and ends with it."""

import shlex
import subprocess
import threading


def experiment_name():
    """The name of this experiment: that of its last configuration file."""
    return [Path(file).stem for file in workflow.overwrite_configfiles or ["config/config.yaml"]][-1]


def command_again():
    """The command that runs this experiment again, without a path of this machine."""
    files = [os.path.relpath(file) for file in workflow.overwrite_configfiles]
    values = [f"{key}={value}" for key, value in workflow.config_settings.config.items()]
    values = [value.replace(f"{Path.home()}/", "~/") for value in values]
    given = ["--configfile", *files] * bool(files) + ["--config", *values] * bool(values)
    return shlex.join(["snakemake", "--cores", "all", *given])


def expected_results():
    """The committed results of this experiment, named after its last configuration."""
    return os.path.relpath(own(f"expected/{experiment_name()}.csv"))


def tracking_address():
    """Where runs go; empty for the database among the results. Another address publishes everything there."""
    return config["tracking"]["uri"] or os.environ.get("MLFLOW_TRACKING_URI", "")


def follow_training():
    """Start the follower, if the configuration wants one; it watches this process and ends with it."""
    if config["tracking"]["live"]:
        Path("results").mkdir(exist_ok=True)
        follower = [sys.executable, "-m", "seqlab.tracking.follower", "--results", "results"]
        watched = ["--parent", str(os.getpid()), "--uri", tracking_address(), "--sweep", experiment_name()]
        with Path("results/follower.log").open("w") as log:
            subprocess.Popen(
                follower + watched, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )


def cancel_timers():
    """End the timers of Snakemake's scheduler, which would hold up its exit by as much as max-jobs-per-timespan."""
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.cancel()


def repeat_errors(logs):
    """Print the sentences that say what went wrong once more, after everything Snakemake has to tell about the jobs."""
    lines = [line for log in logs for line in Path(log).read_text(errors="replace").splitlines()]
    for sentence in dict.fromkeys(line.strip() for line in lines if line.strip().startswith("error: ")):
        print(f"\n{sentence}", file=sys.stderr)
