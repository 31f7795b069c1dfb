"""The program with which MLflow loads a published model; it is stored with the model instead of a pickled object."""

from typing import Any

from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel


class Served(PythonModel):
    """A language model behind MLflow's `predict`."""

    def load_context(self, context: Any) -> None:
        """Load the files with the library that is stored beside this one."""
        from seqlab.language_model import LanguageModel

        self.model = LanguageModel.load(context.artifacts["model"])

    # A type hint on model_input would replace the signature, and MLflow would ignore `params`.
    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        """Return a row for each text (list of texts, or a table with one column)."""
        import pandas as pd

        texts = model_input.iloc[:, 0].tolist() if hasattr(model_input, "iloc") else list(model_input)
        return pd.DataFrame(self.model.predict(texts, params or {}))


set_model(Served())
