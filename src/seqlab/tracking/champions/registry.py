"""Publication of the best model of each family in the registry of MLflow.

Its address is `models:/{experiment}.{corpus}-{unit}-{family}@champion`. It is a pyfunc model from code: weights as
safetensors or npz, the vocabulary as JSON, and the library that reads them, without pickled objects and without paths
of this machine.
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
from seqlab.io.provenance import fingerprint_files
from seqlab.io.runs import Experiment, Run
from seqlab.language_model import PREDICT_DEFAULTS
from seqlab.ledger.perplexity import FIGURE_NAMES, read_metrics
from seqlab.ledger.selection import Standing, choose_best
from seqlab.tracking.plan import list_finished_runs
from seqlab.tracking.runs import compute_digest, make_run_key

CHAMPION_ALIAS = "champion"
# the families that can be served
SERVED_FILES = {"ngram": ("model.npz",), "rnn": ("weights.safetensors", "network.json")}
NEEDED_PACKAGES = {"ngram": ("mlflow", "numpy", "pandas"), "rnn": ("mlflow", "numpy", "pandas", "torch", "safetensors")}
LIBRARY_FOLDER = Path(__file__).parents[2]
# parts of the library that a published model does not need
UNNEEDED_PARTS = ("__pycache__", "cli", "report", "dashboard", "questions")
MAX_MODEL_BYTES = 500_000_000  # larger models are not published


@dataclass(frozen=True)
class Champion:
    """The best model on validation of one family on one corpus and unit; `seed` is that of its best replica, if any."""

    experiment: Experiment
    run: Run
    card: dict[str, Any]
    seed: int | None

    @property
    def name(self) -> str:
        """Its name in the registry, which allows neither slashes nor colons; names of corpora have no dots."""
        return f"{self.experiment.name}.{self.run.corpus}-{self.run.unit}-{self.run.family}"

    @property
    def run_key(self) -> str:
        """The key of its run in MLflow."""
        return make_run_key(self.experiment, self.card, self.seed)

    @property
    def files(self) -> list[Path]:
        """All files that are needed to use it."""
        vocabulary = Path(self.experiment.prepared[self.run.place]) / "vocab.json"
        return [*(Path(self.run.file(name)) for name in SERVED_FILES[self.run.family]), vocabulary]

    @property
    def content(self) -> str:
        """A digest of the model and of the code that serves it."""
        code = [LIBRARY_FOLDER / "language_model.py", Path(__file__).with_name("served.py")]
        return compute_digest([self.seed, fingerprint_files([*self.files, *code])])


def find_champions(experiment: Experiment) -> list[Champion]:
    """Return the best finished models of `experiment` by corpus, unit and family, with their best seed on validation;
    models with missing or too large files are omitted.
    """
    families: dict[tuple[str, ...], list[tuple[Standing, Champion]]] = {}
    for run in list_finished_runs(experiment):
        if run.family not in SERVED_FILES:
            continue
        card = read_card(run.file("card.yaml"))
        for row in read_metrics(run.file("metrics.json"))["scores"]:
            if row["split"] == "valid":
                candidate = (row["perplexity"], run.model), Champion(experiment, run, card, row["seed"])
                families.setdefault((run.corpus, run.unit, run.family), []).append(candidate)
    best = [choose_best(candidates, lambda candidate: candidate[0]) for candidates in families.values()]
    return [candidate[1] for candidate in best if candidate and _is_there(candidate[1])]


def publish_champions(client: Any, candidates: Iterable[Champion], runs: dict[str, tuple[str, str]]) -> int:
    """Register those of `candidates` that are not yet the champions; return their number.

    `runs` maps the key of every run to its MLflow experiment and id, to which the models are linked.
    """
    new = 0
    for champion in candidates:
        current = _find_champion(client, champion.name)
        if current is not None and current.tags.get("content") == champion.content:
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
    answers: dict[str, type] = {"continuation": str} | dict.fromkeys(FIGURE_NAMES, float)
    answers |= dict.fromkeys(("symbols", "unknown", "zero_probability"), int)
    signature = ModelSignature(
        Schema([ColSpec(DataType.string)]),
        Schema([ColSpec(kinds[kind], name, required=False) for name, kind in answers.items()]),
        ParamSchema([ParamSpec(name, kinds[type(value)], value) for name, value in PREDICT_DEFAULTS.items()]),
    )
    # MLflow warns on stderr about missing type hints and examples, which the signature replaces.
    with tempfile.TemporaryDirectory() as place, redirect_stderr(io.StringIO()):
        from seqlab.tracking.champions import served

        files = Path(place) / "model"
        files.mkdir()
        _copy(champion, files)
        library = shutil.copytree(
            LIBRARY_FOLDER, Path(place) / LIBRARY_FOLDER.name, ignore=shutil.ignore_patterns(*UNNEEDED_PARTS)
        )
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
    """Return the packages that the model needs, with their installed versions."""
    pieces = ("tokenizers",) if champion.card["unit"] == "bpe" else ()
    return [f"{name}=={version(name).split('+')[0]}" for name in (*NEEDED_PACKAGES[champion.card["family"]], *pieces)]


def _copy(champion: Champion, folder: Path) -> None:
    """Copy the files of `champion` into `folder`; of a fleet only the best replica."""
    for path in champion.files:
        shutil.copy(path, folder / path.name)
    if champion.seed is not None:
        from seqlab.fleet.checkpoint import save_network
        from seqlab.rnn.network import load_network

        architecture, parameters, seeds = load_network(champion.run.folder)
        replica = seeds.index(champion.seed)
        best = {name: value[replica : replica + 1] for name, value in parameters.items()}
        save_network(folder, architecture, best, [seeds[replica]])


def _without_paths(path: Path, temporary: str) -> None:
    """Remove paths of this machine from an MLmodel file; MLflow reads only their last part."""
    from mlflow.models import Model

    model = Model.load(str(path))
    function = model.flavors["python_function"]
    function["model_code_path"] = Path(function["model_code_path"]).name
    for artifact in function["artifacts"].values():
        artifact["uri"] = artifact["path"]
    model.save(str(path))


def _find_champion(client: Any, name: str) -> Any:
    """Return the version that is the current champion; None where there is none."""
    from mlflow.exceptions import MlflowException

    try:
        return client.get_model_version_by_alias(name, CHAMPION_ALIAS)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise


def _register(client: Any, champion: Champion, mlflow_experiment: str, run_id: str) -> None:
    from mlflow.exceptions import MlflowException

    card = champion.card
    label = card["model"].replace(".", "_")  # MLflow allows no dots here
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
    registered = client.create_model_version(
        champion.name, logged.artifact_location, run_id, tags, model_id=logged.model_id
    )
    client.set_registered_model_alias(champion.name, CHAMPION_ALIAS, registered.version)


def _description(champion: Champion) -> str:
    family, corpus, unit = (champion.card[name] for name in ("family", "corpus", "unit"))
    return f"The best {family} model on validation of {corpus} by {unit} in the experiment {champion.experiment.name}."


def _is_there(champion: Champion) -> bool:
    if not all(path.exists() for path in champion.files):
        print(f"{champion.name}: not published as a model, because its files were not kept", file=sys.stderr)
        return False
    if (size := sum(path.stat().st_size for path in champion.files)) > MAX_MODEL_BYTES:
        print(f"{champion.name}: not published as a model, because it has {size:,} bytes", file=sys.stderr)
        return False
    return True
