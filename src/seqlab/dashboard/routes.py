"""Routes of MLflow that the dashboard opens; all others, including those of newer versions, answer 404.

A route is a method and a path in Flask's notation. tests/unit/dashboard/test_dashboard.py compares the lists with the
routes that MLflow registers.
"""

import re
from collections.abc import Iterable

READ_ROUTES = (
    "GET /",
    "GET /static-files/<path:path>",
    "GET /ajax-api/3.0/mlflow/server-info",
    "POST /graphql",  # queries of QUERY_FIELDS
    "GET /ajax-api/2.0/mlflow/experiments/get",
    "GET /ajax-api/2.0/mlflow/experiments/get-by-name",
    "GET /ajax-api/2.0/mlflow/experiments/search",
    "POST /ajax-api/2.0/mlflow/experiments/search",
    "POST /ajax-api/2.0/mlflow/experiments/search-datasets",
    "GET /ajax-api/2.0/mlflow/runs/get",
    "POST /ajax-api/2.0/mlflow/runs/search",
    "GET /ajax-api/2.0/mlflow/metrics/get-history",
    "GET /ajax-api/2.0/mlflow/metrics/get-history-bulk",
    "GET /ajax-api/2.0/mlflow/metrics/get-history-bulk-interval",
    "GET /ajax-api/2.0/mlflow/artifacts/list",
    "GET /get-artifact",
    "GET /ajax-api/2.0/mlflow/logged-models/<model_id>",
    "POST /ajax-api/2.0/mlflow/logged-models/search",
    "GET /ajax-api/2.0/mlflow/logged-models/<model_id>/artifacts/directories",
    "GET /ajax-api/2.0/mlflow/logged-models/<model_id>/artifacts/files",
    "GET /ajax-api/2.0/mlflow/registered-models/get",
    "GET /ajax-api/2.0/mlflow/registered-models/search",
    "GET /ajax-api/2.0/mlflow/registered-models/alias",
    "GET /ajax-api/2.0/mlflow/registered-models/get-latest-versions",
    "GET /ajax-api/2.0/mlflow/model-versions/get",
    "GET /ajax-api/2.0/mlflow/model-versions/search",
    "GET /model-versions/get-artifact",
)
VIEW_ROUTES = (  # for the tags that hold views; for every tag with --writable
    "POST /ajax-api/2.0/mlflow/experiments/set-experiment-tag",
    "POST /ajax-api/2.0/mlflow/experiments/delete-experiment-tag",
)
EDIT_ROUTES = (  # with --writable
    "POST /ajax-api/2.0/mlflow/runs/update",
    "POST /ajax-api/2.0/mlflow/runs/delete",
    "POST /ajax-api/2.0/mlflow/runs/restore",
    "POST /ajax-api/2.0/mlflow/runs/set-tag",
    "POST /ajax-api/2.0/mlflow/runs/delete-tag",
)
QUERY_FIELDS = frozenset(  # of GraphQL
    {"mlflowGetExperiment", "mlflowGetRun", "mlflowSearchRuns", "mlflowGetMetricHistoryBulkInterval"}
)
PATH_SEGMENT = r"[\w.~-]*[\w~-][\w.~-]*"  # a part of a path, neither empty nor only dots


def compile_routes(routes: Iterable[str]) -> re.Pattern[str]:
    """Return a pattern that fully matches "METHOD path" for exactly the requests of `routes`."""
    patterns = []
    for route in routes:
        pattern = re.escape(route)
        pattern = re.sub(r"<path:\w+>", lambda _: f"{PATH_SEGMENT}(?:/{PATH_SEGMENT})*", pattern)
        patterns.append(re.sub(r"<\w+>", lambda _: PATH_SEGMENT, pattern))
    return re.compile("|".join(patterns), re.ASCII)
