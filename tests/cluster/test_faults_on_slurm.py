"""What befalls a training on a cluster, one thing after the other, until it is done.

The first Snakemake sees its job killed for memory, then cancelled from outside, and gets SIGINT while the third runs.
The second sees its job killed for time, and gets SIGTERM while the next runs. Every attempt trains for an epoch and
waits at a gate for what is to befall it; the gate opens when Snakemake has heeded SIGTERM.
"""

import re
import signal
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from gate import Arrival, Gate, until
from login_node import LoginNode
from project import Project
from slurm import Slurm

RUN = Path("results/smoke/even_process/char/rnn/lstm-1x8")
OUTPUTS = ("weights.safetensors", "network.json", "training.json", "history.csv")
SMOKE = ("--configfile", "config/smoke.yaml")
TARGET = ("--", str(RUN / "weights.safetensors"))


@dataclass
class Story:
    """What was seen while all this went on."""

    project: Project
    logs: list[str] = field(default_factory=list)  # what each attempt had logged when something befell it
    printed: list[str] = field(default_factory=list)  # by each Snakemake
    returncodes: list[int] = field(default_factory=list)
    last_states: list[str] = field(default_factory=list)  # how the last job of each Snakemake ended
    left_outputs: list[list[str]] = field(default_factory=list)  # outputs that were there then


def longer(project: Project) -> Project:
    """The smoke experiment with an epoch for each of the five attempts, and three more for the last."""
    config = project.folder / "config/smoke.yaml"
    training = "training: {epochs: 8, batch_size: 64, steps: 20, early_stopping: 0}"
    config.write_text(re.sub(r"training: .*", training, config.read_text()))
    return project


class Training:
    """The job of a training, attempt by attempt."""

    def __init__(self, login: LoginNode, story: Story, gate: Gate) -> None:
        self.login, self.story, self.gate = login, story, gate
        self.attempts: list[Arrival] = []

    def next_attempt(self) -> str:
        """Wait until another job is at the gate; returns the number of the job."""
        self.attempts.append(self.gate.next_arrival(self.login.runs, self.login.printed))
        return self.attempts[-1].job

    def last_state(self) -> str:
        """How the last job has ended; one that was cancelled takes some seconds to end, and Snakemake does not wait."""
        job = self.attempts[-1].job
        until(
            "the last job ends", lambda: job not in self.login.jobs("%i", "PD", "R", "CG"), printed=self.login.printed
        )
        return self.login.slurm.ask("squeue", "-h", "-o", "%T", "-t", "all", "-j", job)

    def remember_log(self) -> None:
        """Keep the log as soon as it tells of the epoch after which the last attempt waits; `tee` writes it."""
        log, line = self.login.project.folder / RUN / "train.log", rf"epoch +{self.attempts[-1].epoch}/"
        self.login.until("the log is written", lambda: re.search(line, log.read_text()))
        self.story.logs.append(log.read_text())


def end(login: LoginNode, story: Story, training: Training) -> None:
    """Wait for the end of Snakemake and note what is left."""
    story.returncodes.append(login.finish())
    story.printed.append(login.printed())
    story.last_states.append(training.last_state())
    story.left_outputs.append([name for name in OUTPUTS if (login.project.folder / RUN / name).exists()])


@pytest.fixture(scope="module")
def story(slurm: Slurm, smoke: Project, tmp_path_factory: pytest.TempPathFactory) -> Story:
    project = longer(smoke.copy(tmp_path_factory.mktemp("faults")))
    for name in OUTPUTS:
        (project.folder / RUN / name).unlink()
    told = Story(project)
    login = LoginNode(slurm, project)
    with Gate(tmp_path_factory.mktemp("faults") / "gate") as gate:
        training = Training(login, told, gate)
        memory = ("--set-resources", "train_rnn:mem_mb=1000*attempt")
        login.start(*SMOKE, *memory, *TARGET, **gate.environment)
        training.next_attempt()
        training.remember_log()
        gate.order_memory()
        job = training.next_attempt()
        training.remember_log()
        slurm.ask("scancel", job)
        training.next_attempt()
        training.remember_log()
        login.process.send_signal(signal.SIGINT)
        end(login, told, training)

        login.start(*SMOKE, *TARGET, **gate.environment)
        job = training.next_attempt()
        training.remember_log()
        slurm.ask("scontrol", "update", f"jobid={job}", "timelimit=0")
        training.next_attempt()
        training.remember_log()
        login.terminate()
        gate.open()
        end(login, told, training)
    return told


@pytest.fixture(scope="module")
def undisturbed(smoke: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The same training, alone on this machine."""
    project = longer(smoke.copy(tmp_path_factory.mktemp("undisturbed")))
    done = project.snakemake(*SMOKE, *TARGET)
    assert done.returncode == 0, done.stdout
    return project


@pytest.mark.parametrize(
    ("snakemake", "cause"),
    [
        pytest.param(0, "exceeded memory limit", id="memory"),
        pytest.param(0, "SLURM status is: 'CANCELLED'", id="cancelled"),
        pytest.param(1, "SLURM status is: 'TIMEOUT'", id="time"),
    ],
)
def test_the_cause_is_reported(story: Story, snakemake: int, cause: str) -> None:
    assert cause in story.printed[snakemake]


def test_every_attempt_goes_on_from_the_checkpoint_of_the_last(story: Story) -> None:
    epochs = [int(log.split("continuing after epoch ")[1].split()[0]) for log in story.logs[1:]]
    assert "going on" not in story.logs[0]
    assert epochs == sorted(set(epochs)) and epochs[0] > 0


def test_interrupting_snakemake_cancels_its_jobs(story: Story) -> None:
    assert story.returncodes[0] != 0
    assert story.last_states[0] == "CANCELLED"


def test_nothing_half_done_is_taken_for_complete(story: Story) -> None:
    assert story.left_outputs[0] == []


def test_terminating_snakemake_lets_its_jobs_end(story: Story) -> None:
    assert (story.last_states[1], story.left_outputs[1]) == ("COMPLETED", list(OUTPUTS))


def test_the_weights_are_those_of_an_undisturbed_training(story: Story, undisturbed: Project) -> None:
    files = [project.folder / RUN / "weights.safetensors" for project in (story.project, undisturbed)]
    assert files[0].read_bytes() == files[1].read_bytes()
