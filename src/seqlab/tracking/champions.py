"""The best model of each family, published so that it can be used: `models:/{corpus}-{unit}-{family}@champion`.

A pyfunc model from code: weights as safetensors or npz, the vocabulary as JSON, and the library that reads them. No
object is pickled, and no path of this machine is in it.
"""

import io
import re
import shutil
import sys
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import redirect_stderr
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from seqlab.cards import read_card
from seqlab.language_model import SETTINGS
from seqlab.ledger.perplexity import FIGURES, read_metrics
from seqlab.provenance import fingerprint
from seqlab.tracking.runs import digest

ALIAS = "champion"
FILES = {"ngram": ("model.npz",), "rnn": ("weights.safetensors", "network.json")}  # the families that can be served
NEEDS = {"ngram": ("mlflow", "numpy", "pandas"), "rnn": ("mlflow", "numpy", "pandas", "torch", "safetensors")}
LIBRARY = Path(__file__).parents[1]
NOT_NEEDED = ("__pycache__", "cli", "report", "dashboard")  # of the library, where a model is used
LARGEST = 500_000_000  # bytes of a model that is copied into the registry


@dataclass(frozen=True)
class Champion:
    """The best on valid of one family; `seed` is that of its best replica, if it has any."""

    folder: Path
    card: dict[str, Any]
    seed: int | None

    @property
    def name(self) -> str:
        """Its name in the registry, which allows neither slashes nor colons."""
        return re.sub(r"[/:]", "_", f"{self.card['corpus']}-{self.card['unit']}-{self.card['family']}")

    @property
    def run_key(self) -> str:
        """What its run in MLflow is found by."""
        return digest(self.card | {"seeds": self.seed})

    @property
    def files(self) -> list[Path]:
        """Everything that is needed to use it."""
        return [self.folder / name for name in FILES[self.card["family"]]] + [self.folder.parent.parent / "vocab.json"]

    @property
    def content(self) -> str:
        """A digest of the model and of the code that answers for it."""
        code = [LIBRARY / "language_model.py", Path(__file__).with_name("served.py")]
        return digest([self.seed, fingerprint([*self.files, *code])])


def champions(folders: Sequence[Path]) -> list[Champion]:
    """The best models among `folders`, chosen on valid; those whose files are gone or too large are left out."""
    best: dict[tuple[str, ...], tuple[float, Champion]] = {}
    for folder in folders:
        card = read_card(folder / "card.yaml")
        if card["family"] not in FILES:
            continue
        for row in read_metrics(folder / "metrics.json")["scores"]:
            group = card["corpus"], card["unit"], card["family"]
            if row["split"] == "valid" and row["perplexity"] < best.get(group, (float("inf"),))[0]:
                best[group] = row["perplexity"], Champion(folder, card, row["seed"])
    return [champion for _, champion in best.values() if _is_there(champion)]


def publish_champions(client: Any, found: Iterable[Champion], runs: dict[str, tuple[str, str]]) -> int:
    """Register those of `found` that are not the champions already; returns how many are new.

    `runs` gives the experiment and the run of every key, to which the models are linked.
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
        ParamSchema([ParamSpec(name, kinds[type(value)], value) for name, value in SETTINGS.items()]),
    )
    # MLflow asks on stderr for type hints and an example, from which it would guess what is said here.
    with tempfile.TemporaryDirectory() as place, redirect_stderr(io.StringIO()):
        from seqlab.tracking import served

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
    return [f"{name}=={version(name).split('+')[0]}" for name in (*NEEDS[champion.card["family"]], *pieces)]


def _copy(champion: Champion, folder: Path) -> None:
    """Put the files of `champion` into `folder`; of a fleet only the replica that won."""
    for path in champion.files:
        shutil.copy(path, folder / path.name)
    if champion.seed is not None:
        from seqlab.rnn.checkpoint import load_network, save_network  # loads torch, so only where a network has won

        architecture, parameters, seeds = load_network(champion.folder)
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


def _register(client: Any, champion: Champion, experiment: str, run_id: str) -> None:
    from mlflow.exceptions import MlflowException

    card = champion.card
    logged = client.create_logged_model(experiment, card["model"], run_id, model_type=card["family"])
    with tempfile.TemporaryDirectory() as place:
        save_model(champion, Path(place) / "saved")
        client.log_model_artifacts(logged.model_id, str(Path(place) / "saved"))
    logged = client.finalize_logged_model(logged.model_id, "READY")
    try:
        client.create_registered_model(champion.name, description=f"The best {card['family']} model on valid of "
                                       f"{card['corpus']} by {card['unit']}.")  # fmt: skip
    except MlflowException as error:
        if error.error_code != "RESOURCE_ALREADY_EXISTS":
            raise
    tags = {"model": card["model"], "content": champion.content} | ({} if champion.seed is None else
            {"seed": str(champion.seed)})  # fmt: skip
    made = client.create_model_version(champion.name, logged.artifact_location, run_id, tags, model_id=logged.model_id)
    client.set_registered_model_alias(champion.name, ALIAS, made.version)


def _is_there(champion: Champion) -> bool:
    if not all(path.exists() for path in champion.files):
        print(f"{champion.name}: not published as a model, since its files were not kept", file=sys.stderr)
        return False
    if (size := sum(path.stat().st_size for path in champion.files)) > LARGEST:
        print(f"{champion.name}: not published as a model, since it has {size:,} bytes", file=sys.stderr)
        return False
    return True
