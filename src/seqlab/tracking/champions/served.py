"""What MLflow runs to load a published model: this file is stored beside it, so no object has to be pickled."""

from typing import Any

from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel


class Served(PythonModel):
    """A language model behind MLflow's `predict`."""

    def load_context(self, context: Any) -> None:
        """Load the files; the library that reads them lies beside this one."""
        from seqlab.language_model import LanguageModel

        self.model = LanguageModel.load(context.artifacts["model"])

    # A type hint on model_input would take the place of the signature, and `params` would be ignored.
    def predict(self, context, model_input, params=None):  # type: ignore[no-untyped-def]
        """A row for each text (list of texts, or a table with one column)."""
        import pandas as pd

        texts = model_input.iloc[:, 0].tolist() if hasattr(model_input, "iloc") else list(model_input)
        return pd.DataFrame(self.model.predict(texts, params or {}))


set_model(Served())
