"""A real Slurm on this machine: a controller and several nodes on loopback, without systemd and without accounting.

    python tests/helpers/slurm.py start FOLDER [--nodes 3] [--cpus 2] [--gpus 2]
    . FOLDER/environment.sh                                 then: sinfo, squeue, sbatch, snakemake
    python tests/helpers/slurm.py stop FOLDER

Needs the packages munge, slurmctld, slurmd and slurm-client of Debian or Ubuntu, and no privileges. All that the
daemons write (configuration, key, sockets, state, logs, pid files) lies in FOLDER; nothing in /etc is read or changed.
A node has as many CPUs, and GPUs, as is claimed: nothing holds a job to them, so jobs can be placed on a small machine.
"""

import argparse
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("munged", "munge", "slurmctld", "slurmd", "srun", "sbatch", "squeue", "scontrol", "scancel", "sinfo")
SEARCHED = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/sbin"])  # daemons are not in a user's PATH
PARTITION = "main"
WAIT = 300  # seconds that a daemon has to come up or to end, which takes long on a busy machine

SLURM_CONF = """\
ClusterName=loopback
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
{interfaces}
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
# memory is watched and not confined: without cgroups a job that takes too much is killed within a second or two
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
JobAcctGatherParams=UsePss,OverMemoryKill
KillWait=5
MinJobAge=600
ReturnToService=2
SchedulerParameters=batch_sched_delay=0,sched_interval=2
AccountingStorageType=accounting_storage/none
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
{gres_types}
{nodes}
PartitionName={partition} Nodes=ALL Default=YES MaxTime=INFINITE DefaultTime=60 State=UP
"""


def missing_programs() -> list[str]:
    """What is not installed of the programs that a cluster is made of."""
    return [name for name in PROGRAMS if shutil.which(name, path=SEARCHED) is None]


@dataclass
class Slurm:
    """A cluster whose files lie in `folder`."""

    folder: Path
    nodes: int = 3
    cpus: int = 2
    memory_mb: int = 16_000
    gpus: int = 2

    @property
    def names(self) -> list[str]:
        return [f"node{number}" for number in range(1, self.nodes + 1)]

    @property
    def environment(self) -> dict[str, str]:
        """What a program needs to find this cluster."""
        return {"SLURM_CONF": str(self.folder / "slurm.conf"), "PATH": f"{self.folder / 'bin'}{os.pathsep}{SEARCHED}"}

    def ask(self, *command: str) -> str:
        """What a Slurm program prints."""
        done = subprocess.run(command, env=os.environ | self.environment, text=True, capture_output=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr or done.stdout}")
        return done.stdout.strip()

    def start(self) -> None:
        """Bring the cluster up and wait until its nodes are idle; it is taken down again where that fails."""
        if len(str(self.folder)) > 80 or any(map(str.isspace, str(self.folder))):
            raise RuntimeError(f"{self.folder} is too long for the name of a socket, or has blanks; use another folder")
        for name in ("state", "bin", *(f"spool-{node}" for node in self.names)):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        self._configure()
        with ExitStack() as on_failure:
            on_failure.callback(self.stop)
            self._start_munged()
            self.start_controller()
            for node in self.names:
                self._run("slurmd", "-N", node)
            idle = ["idle"] * self.nodes
            self._await("the nodes", lambda: self.ask("sinfo", "-h", "-N", "-o", "%T").split() == idle)
            on_failure.pop_all()

    def start_controller(self) -> None:
        self._run("slurmctld")
        self._await("slurmctld", lambda: "is UP" in self.ask("scontrol", "ping"))

    def stop_controller(self) -> None:
        """End slurmctld alone; nodes and jobs go on."""
        self._end("slurmctld")

    def stop(self) -> None:
        """Cancel all jobs and end the daemons that the pid files name, if they still are what they were."""
        if self._pid("slurmctld"):
            try:
                self.ask("scancel", "--partition", PARTITION)
                self._await("the queue", lambda: not self.ask("squeue", "-h"))
            except RuntimeError as error:
                print(f"jobs could not be cancelled: {error}", file=sys.stderr)
        for name in [*(f"slurmd-{node}" for node in self.names), "slurmctld", "munged"]:
            self._end(name)

    def _configure(self) -> None:
        ports = free_ports(self.nodes + 1)
        gres = f" Gres=gpu:{self.gpus}" if self.gpus else ""
        nodes = [
            f"NodeName={name} NodeHostname={name} NodeAddr=127.0.0.1 Port={port} CPUs={self.cpus} "
            f"RealMemory={self.memory_mb}{gres} State=UNKNOWN"
            for name, port in zip(self.names, ports[1:], strict=True)
        ]
        devices = [self.folder / f"gpu{number}" for number in range(self.gpus)]  # any file passes for a device
        for device in devices:
            device.touch()
        files = f"{self.folder}/gpu[0-{self.gpus - 1}]"
        lines = [f"NodeName={name} Name=gpu Count={self.gpus} File={files}\n" for name in self.names if self.gpus]
        (self.folder / "gres.conf").write_text("".join(lines))
        content = SLURM_CONF.format(
            folder=self.folder,
            user=current_user(),
            controller_port=ports[0],
            interfaces=interfaces(),
            gres_types="GresTypes=gpu" if self.gpus else "",
            nodes="\n".join(nodes),
            partition=PARTITION,
        )
        (self.folder / "slurm.conf").write_text(content)
        # the executor in a job takes all SLURM_ variables but a few from srun, and so the way to the configuration
        srun, real = self.folder / "bin/srun", shutil.which("srun", path=SEARCHED)
        srun.write_text(f'#!/bin/sh\nexport SLURM_CONF="{self.folder}/slurm.conf"\nexec {real} "$@"\n')
        srun.chmod(0o755)
        exports = [f"export {name}='{value}'\n" for name, value in self.environment.items()]
        (self.folder / "environment.sh").write_text("".join(exports))

    def _start_munged(self) -> None:
        key = self.folder / "munge.key"
        key.touch(mode=0o600)
        key.write_bytes(secrets.token_bytes(1024))
        paths = {"key-file": key, "socket": "munge.socket", "pid-file": "munged.pid"}
        paths |= {"log-file": "munged.log", "seed-file": "munge.seed"}
        options = [f"--{name}={self.folder / path}" for name, path in paths.items()]
        self._run("munged", "--force", *options)  # force: the folder of a test is its owner's alone
        self._await("munged", lambda: bool(self.ask("munge", "-n", "-S", str(self.folder / "munge.socket"))))

    def _run(self, program: str, *arguments: str) -> None:
        """Start a daemon, which goes to the background by itself."""
        path = shutil.which(program, path=SEARCHED)
        with (self.folder / f"{program}.started").open("a") as told:
            done = subprocess.run(
                [str(path), *arguments],
                env=os.environ | self.environment,
                stdin=subprocess.DEVNULL,
                stdout=told,
                stderr=told,
                check=False,
            )
        if done.returncode:
            raise RuntimeError(f"{program} did not start: {(self.folder / f'{program}.started').read_text()}")

    def _await(self, what: str, ready: Callable[[], bool]) -> None:
        last = "not yet"
        end = time.monotonic() + WAIT
        while time.monotonic() < end:
            try:
                if ready():
                    return
            except RuntimeError as error:
                last = str(error)
            time.sleep(0.1)
        raise RuntimeError(f"{what} was not ready after {WAIT} s ({last}); the logs are in {self.folder}")

    def _pid(self, name: str) -> int | None:
        """The process in a pid file, if it still runs the program; a container may leave it as a zombie."""
        try:
            pid = int((self.folder / f"{name}.pid").read_text())
            command, state = Path(f"/proc/{pid}/stat").read_text().split(" (", 1)[1].rsplit(") ", 1)
        except (OSError, ValueError):
            return None
        return pid if command == name.split("-")[0] and not state.startswith("Z") else None

    def _end(self, name: str) -> None:
        pid = self._pid(name)
        if pid is None:
            return
        for number in (signal.SIGTERM, signal.SIGKILL):
            os.kill(pid, number)
            end = time.monotonic() + WAIT
            while time.monotonic() < end:
                if self._pid(name) is None:
                    return
                time.sleep(0.05)
        raise RuntimeError(f"{name}, process {pid}, does not end")


def current_user() -> str:
    return subprocess.run(["id", "-un"], check=True, capture_output=True, text=True).stdout.strip()


def interfaces() -> str:
    """The line that keeps the daemons on loopback, where the name of this machine leads to 127.0.0.1; elsewhere a job
    step could not reach its srun, so they listen on all interfaces, and munge tells friends from others.
    """
    try:
        own = socket.gethostbyname(socket.gethostname())
    except OSError:
        own = ""
    return "CommunicationParameters=NoCtldInAddrAny,NoInAddrAny" if own == "127.0.0.1" else ""


def free_ports(number: int) -> list[int]:
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["start", "stop"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--nodes", type=int, default=3)
    parser.add_argument("--cpus", type=int, default=2, help="of each node")
    parser.add_argument("--gpus", type=int, default=2, help="of each node; pretended")
    arguments = parser.parse_args()
    if missing := missing_programs():
        sys.exit(f"error: {', '.join(missing)} not found; install munge, slurmctld, slurmd and slurm-client")
    slurm = Slurm(arguments.folder.resolve(), arguments.nodes, arguments.cpus, gpus=arguments.gpus)
    try:
        if arguments.what == "start":
            slurm.start()
            print(f"up; now:  . {slurm.folder}/environment.sh")
        else:
            slurm.stop()
    except RuntimeError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
