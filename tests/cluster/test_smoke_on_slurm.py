"""The smoke experiment through Slurm: on one node, then on three, where the controller goes away and comes back."""

import csv
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from gate import Gate
from login_node import LoginNode
from project import Project, bare_project
from slurm import Slurm

from seqlab.io.files import read_json

BASE = "results/smoke/even_process/char"
TARGETS = [f"{BASE}/{name}" for name in ("summary.csv", "memory.csv", "ngram/mkn-3/model.arpa.gz")]
SMOKE = ("--configfile", "config/smoke.yaml")
GROUPS = {  # short jobs share one of Slurm, as docs/clusters.md says; networks have jobs of their own
    "corpora": ["clean_corpus", "encode_corpus", "check_corpus"],
    "ngrams": ["train_ngram", "prune_ngram", "write_arpa"],
    "floors": ["score_compressor", "score_source"],
}
TOGETHER = ["--groups", *(f"{rule}={group}" for group, rules in GROUPS.items() for rule in rules)]
TOGETHER += ["--group-components", "ngrams=4", "floors=2"]
FIELDS = ("JobID", "NodeList", "tres-per-job", "MinMemory", "TimeLimit", "SubmitTime", "EndTime", "Comment")
FORM = ",".join(f"{field}:|" for field in FIELDS)  # what squeue prints of a job: its number, and then as in Job
BITS = ("ids.npy", "model.npz", "weights.safetensors", "scores.npz", "card.yaml", "vocab.json", "sample.txt")


@dataclass
class Job:
    """A job as Slurm remembers it."""

    node: str
    gpus: str
    memory: str
    minutes: str
    submitted: str
    ended: str
    name: str


@dataclass
class Run:
    """One run through Slurm: the project, how Snakemake ended and what it printed, and its jobs."""

    project: Project
    returncode: int
    printed: str
    jobs: list[Job]


def finish(login: LoginNode, before: set[str]) -> Run:
    """Wait for the end of Snakemake; `before` are jobs of others."""
    returncode = login.finish()
    lines = set(login.jobs(FORM)) - before
    return Run(
        login.project, returncode, login.printed(), [Job(*line.strip("|").split("|")[1:]) for line in sorted(lines)]
    )


@contextmanager
def drained(slurm: Slurm, *nodes: str) -> Iterator[None]:
    """Nodes on which no job starts, though what runs there goes on; they are resumed at the end."""
    names = f"nodename={','.join(nodes)}"
    slurm.ask("scontrol", "update", names, "state=drain", "reason=test")
    try:
        yield
    finally:
        slurm.ask("scontrol", "update", names, "state=resume")


@pytest.fixture(scope="module")
def on_one_node(slurm: Slurm, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The experiment while two of the three nodes are drained."""
    login = LoginNode(slurm, bare_project(tmp_path_factory.mktemp("one_node")))
    with drained(slurm, *slurm.names[1:]):
        before = set(login.jobs(FORM))
        login.start(*SMOKE, *TOGETHER, "--jobs", str(slurm.cpus), "--", *TARGETS)
        return finish(login, before)


@pytest.fixture(scope="module")
def on_three_nodes(slurm: Slurm, on_one_node: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The experiment on all nodes, resumed by then; slurmctld stops while both networks train, and nothing else, and is
    started again, and the node that did all before is drained. The login node seems to have a GPU, so that every
    network asks for one.
    """
    project = bare_project(tmp_path_factory.mktemp("three_nodes"))
    nvidia = project.folder / "pretended/nvidia-smi"
    nvidia.parent.mkdir()
    nvidia.write_text("#!/bin/sh\n")
    nvidia.chmod(0o755)
    login = LoginNode(slurm, project)
    path = f"{nvidia.parent}:{slurm.environment['PATH']}"
    before = set(login.jobs(FORM))
    both = ("--profile", "profiles/slurm")  # so that profiles/default holds too, with its limit of one GPU
    with Gate(tmp_path_factory.mktemp("controller") / "gate") as gate:
        environment = gate.environment | {"PATH": path}
        login.start(*SMOKE, *TOGETHER, "--jobs", str(3 * slurm.cpus), "--", *TARGETS, profile=both, **environment)
        at_gate = {gate.next_arrival(login.runs, login.printed).job for _ in range(2)}

        def only_networks() -> bool:
            submitted = set(login.jobs(FORM)) - before
            ended = len(submitted) == len(GROUPS) + 1 + len(at_gate)  # the estimate of training is no group
            return ended and set(login.jobs("%i", "PD", "R", "CG")) == at_gate

        login.until("all jobs but the networks have ended", only_networks)  # so that none is submitted in vain
        slurm.stop_controller()
        slurm.start_controller()
        with drained(slurm, slurm.names[0]):
            gate.open()
            return finish(login, before)


@pytest.fixture(params=["on_one_node", "on_three_nodes"])
def run(request: pytest.FixtureRequest) -> Run:
    done: Run = request.getfixturevalue(request.param)
    assert done.returncode == 0, done.printed
    return done


def without_seconds(path: Path) -> object:
    """A table of results or a metrics.json but for how long things took, which its checksum covers."""
    if path.suffix == ".json":
        return read_json(path) | {"train_seconds": None}
    with path.open(newline="") as file:
        return [row | {"train_seconds": None} for row in csv.DictReader(file)]


def test_every_bit_is_that_of_the_local_run(run: Run, smoke: Project) -> None:
    files = [path.relative_to(smoke.folder) for name in BITS for path in (smoke.folder / BASE).rglob(name)]
    assert len(files) > 40
    for file in files:
        assert (run.project.folder / file).read_bytes() == (smoke.folder / file).read_bytes(), file


def test_every_figure_is_that_of_the_local_run(run: Run, smoke: Project) -> None:
    files = [smoke.folder / BASE / "summary.csv", *(smoke.folder / BASE).rglob("metrics.json")]
    for file in files:
        there = run.project.folder / file.relative_to(smoke.folder)
        assert without_seconds(there) == without_seconds(file), file
    assert (run.project.folder / BASE / "memory.csv").read_bytes() == (smoke.folder / BASE / "memory.csv").read_bytes()


def kind(job: Job) -> str:
    """The rule of a job, or its group."""
    name = job.name.removeprefix("rule_").split("_wildcards_")[0]
    return next((group for group in GROUPS if name.startswith(f"{group}_")), name)


def test_cheap_rules_stay_on_the_login_node_and_short_ones_share_jobs(run: Run) -> None:
    alone = ["estimate_training", "train_rnn", "train_rnn", "measure_memory"]
    assert sorted(map(kind, run.jobs)) == sorted([*GROUPS, *alone])


def test_every_job_says_what_it_needs(run: Run) -> None:
    assert all(int(job.memory.removesuffix("M")) >= 600 for job in run.jobs)
    assert all(job.minutes not in ("UNLIMITED", "NOT_SET") for job in run.jobs)


def test_no_job_starts_on_a_drained_node(on_one_node: Run, slurm: Slurm) -> None:
    assert {job.node for job in on_one_node.jobs} == {slurm.names[0]}


def test_resumed_nodes_work_again(on_three_nodes: Run, slurm: Slurm) -> None:
    assert {job.node for job in on_three_nodes.jobs} & set(slurm.names[1:])


def test_networks_ask_for_a_gpu_and_nothing_else_does(on_three_nodes: Run) -> None:
    asking = {kind(job) for job in on_three_nodes.jobs if "gpu" in job.gpus}
    assert asking == {"estimate_training", "train_rnn", "measure_memory"}


def test_a_limit_of_one_gpu_does_not_hold_back_the_cluster(on_three_nodes: Run) -> None:
    first, second = (job for job in on_three_nodes.jobs if kind(job) == "train_rnn")
    assert max(first.submitted, second.submitted) < min(first.ended, second.ended)
