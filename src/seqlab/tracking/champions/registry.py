"""The best model of each family of an experiment, published so that it can be used, as
`models:/{experiment}.{corpus}-{unit}-{family}@champion`.

A pyfunc model from code: weights as safetensors or npz, the vocabulary as JSON, and the library that reads them. No
object is pickled, and no path of this machine is in it.
"""

import io
import shutil
import sys
import tempfile
from collections.abc import Iterable
from contextlib import redirect_stderr
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from seqlab.io.cards import read_card
from seqlab.io.provenance import fingerprint
from seqlab.io.runs import Experiment, Run
from seqlab.language_model import PREDICT_DEFAULTS
from seqlab.ledger.perplexity import FIGURES, read_metrics
from seqlab.ledger.selection import Standing, choose_best
from seqlab.tracking.plan import finished
from seqlab.tracking.runs import digest, run_key

ALIAS = "champion"
SERVED_FILES = {
    "ngram": ("model.npz",),
    "rnn": ("weights.safetensors", "network.json"),
}  # the families that can be served
NEEDED_PACKAGES = {"ngram": ("mlflow", "numpy", "pandas"), "rnn": ("mlflow", "numpy", "pandas", "torch", "safetensors")}
LIBRARY = Path(__file__).parents[2]
NOT_NEEDED = ("__pycache__", "cli", "report", "dashboard", "questions")  # of the library, where a model is used
LARGEST_MODEL = 500_000_000  # bytes of a model that is copied into the registry


@dataclass(frozen=True)
class Champion:
    """The best on valid of one family on one corpus and unit; `seed` is that of its best replica, if it has any."""

    experiment: Experiment
    run: Run
    card: dict[str, Any]
    seed: int | None

    @property
    def name(self) -> str:
        """Its name in the registry, which allows neither slashes nor colons; a corpus has no dot in its name."""
        return f"{self.experiment.name}.{self.run.corpus}-{self.run.unit}-{self.run.family}"

    @property
    def run_key(self) -> str:
        """The key of its run in MLflow."""
        return run_key(self.experiment, self.card, self.seed)

    @property
    def files(self) -> list[Path]:
        """Everything that is needed to use it."""
        vocabulary = Path(self.experiment.prepared[self.run.place]) / "vocab.json"
        return [*(Path(self.run.file(name)) for name in SERVED_FILES[self.run.family]), vocabulary]

    @property
    def content(self) -> str:
        """A digest of the model and of the code that answers for it."""
        code = [LIBRARY / "language_model.py", Path(__file__).with_name("served.py")]
        return digest([self.seed, fingerprint([*self.files, *code])])


def champions(experiment: Experiment) -> list[Champion]:
    """Return the best finished models of `experiment` by corpus, unit and family, each with the seed that is best on
    validation; those whose files are gone or too large are left out.
    """
    families: dict[tuple[str, ...], list[tuple[Standing, Champion]]] = {}
    for run in finished(experiment):
        if run.family not in SERVED_FILES:
            continue
        card = read_card(run.file("card.yaml"))
        for row in read_metrics(run.file("metrics.json"))["scores"]:
            if row["split"] == "valid":
                candidate = (row["perplexity"], run.model), Champion(experiment, run, card, row["seed"])
                families.setdefault((run.corpus, run.unit, run.family), []).append(candidate)
    best = [choose_best(candidates, lambda candidate: candidate[0]) for candidates in families.values()]
    return [candidate[1] for candidate in best if candidate and _is_there(candidate[1])]


def publish_champions(client: Any, found: Iterable[Champion], runs: dict[str, tuple[str, str]]) -> int:
    """Register those of `found` that are not the champions already; returns how many are new.

    `runs` gives the MLflow experiment and the run of every key, to which the models are linked.
    """
    new = 0
    for champion in found:
        held = _held(client, champion.name)
        if held is not None and held.tags.get("content") == champion.content:
            continue
        _register(client, champion, *runs[champion.run_key])
        new += 1
    return new


def save_model(champion: Champion, target: Path) -> None:
    """Write `champion` as a pyfunc model into the folder `target`."""
    from mlflow.models import ModelSignature
    from mlflow.pyfunc import save_model as save
    from mlflow.types import ColSpec, DataType, ParamSchema, ParamSpec, Schema

    kinds = {str: DataType.string, int: DataType.long, float: DataType.double}
    answers: dict[str, type] = {"continuation": str} | dict.fromkeys(FIGURES, float)
    answers |= dict.fromkeys(("symbols", "unknown", "zero_probability"), int)
    signature = ModelSignature(
        Schema([ColSpec(DataType.string)]),
        Schema([ColSpec(kinds[kind], name, required=False) for name, kind in answers.items()]),
        ParamSchema([ParamSpec(name, kinds[type(value)], value) for name, value in PREDICT_DEFAULTS.items()]),
    )
    # MLflow asks on stderr for type hints and an example, from which it would guess what is said here.
    with tempfile.TemporaryDirectory() as place, redirect_stderr(io.StringIO()):
        from seqlab.tracking.champions import served

        files = Path(place) / "model"
        files.mkdir()
        _copy(champion, files)
        library = shutil.copytree(LIBRARY, Path(place) / LIBRARY.name, ignore=shutil.ignore_patterns(*NOT_NEEDED))
        save(
            path=str(target),
            python_model=served.__file__,
            artifacts={"model": str(files)},
            code_paths=[str(library)],
            signature=signature,
            pip_requirements=_requirements(champion),
            metadata={name: champion.card[name] for name in ("corpus", "unit", "family", "model", "data")},
        )
    _without_paths(target / "MLmodel", place)


def _requirements(champion: Champion) -> list[str]:
    """The packages that the model needs, at the versions it was made with."""
    pieces = ("tokenizers",) if champion.card["unit"] == "bpe" else ()
    return [f"{name}=={version(name).split('+')[0]}" for name in (*NEEDED_PACKAGES[champion.card["family"]], *pieces)]


def _copy(champion: Champion, folder: Path) -> None:
    """Put the files of `champion` into `folder`; of a fleet only the replica that won."""
    for path in champion.files:
        shutil.copy(path, folder / path.name)
    if champion.seed is not None:
        from seqlab.fleet.checkpoint import save_network
        from seqlab.rnn.network import load_network

        architecture, parameters, seeds = load_network(champion.run.folder)
        replica = seeds.index(champion.seed)
        won = {name: value[replica : replica + 1] for name, value in parameters.items()}
        save_network(folder, architecture, won, [seeds[replica]])


def _without_paths(path: Path, temporary: str) -> None:
    """Take from an MLmodel file where this machine keeps its code: MLflow reads the last part of that path only."""
    from mlflow.models import Model

    model = Model.load(str(path))
    function = model.flavors["python_function"]
    function["model_code_path"] = Path(function["model_code_path"]).name
    for artifact in function["artifacts"].values():
        artifact["uri"] = artifact["path"]
    model.save(str(path))


def _held(client: Any, name: str) -> Any:
    """The version that is the champion now; None where there is none."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version_by_alias(name, ALIAS)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def _register(client: Any, champion: Champion, mlflow_experiment: str, run_id: str) -> None:
    from mlflow.exceptions import MlflowException

    card = champion.card
    label = card["model"].replace(".", "_")  # MLflow takes no points here
    logged = client.create_logged_model(mlflow_experiment, label, run_id, model_type=card["family"])
    with tempfile.TemporaryDirectory() as place:
        save_model(champion, Path(place) / "saved")
        client.log_model_artifacts(logged.model_id, str(Path(place) / "saved"))
    logged = client.finalize_logged_model(logged.model_id, "READY")
    try:
        client.create_registered_model(champion.name, description=_description(champion))
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    seed = {} if champion.seed is None else {"seed": str(champion.seed)}
    tags = {"model": card["model"], "content": champion.content} | seed
    made = client.create_model_version(champion.name, logged.artifact_location, run_id, tags, model_id=logged.model_id)
    client.set_registered_model_alias(champion.name, ALIAS, made.version)


def _description(champion: Champion) -> str:
    family, corpus, unit = (champion.card[name] for name in ("family", "corpus", "unit"))
    return f"The best {family} model on valid of {corpus} by {unit} in the experiment {champion.experiment.name}."


def _is_there(champion: Champion) -> bool:
    if not all(path.exists() for path in champion.files):
        print(f"{champion.name}: not published as a model, since its files were not kept", file=sys.stderr)
        return False
    if (size := sum(path.stat().st_size for path in champion.files)) > LARGEST_MODEL:
        print(f"{champion.name}: not published as a model, since it has {size:,} bytes", file=sys.stderr)
        return False
    return True
