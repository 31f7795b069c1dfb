"""Storage of saved views in MLflow: a tag with JSON for each view.

The format is internal to MLflow and valid for the version in pyproject.toml;
tests/workflow/test_dashboard_in_browser.py opens each view in a browser and fails where another version reads it
differently.
"""

import json
from typing import Any
from urllib.parse import quote

VIEW_TAG = "mlflow.sharedViewState."  # followed by the name of the view in its link
CHART_HEIGHT = 430  # of a chart, in pixels
MAX_TAG_LENGTH = 20_000  # characters of an experiment's tag
CHART_RUNS = 100  # the largest number of runs in a chart; the default of MLflow is ten
USER_MADE = {"deleted": False, "isGenerated": False}  # marks a chart or section as made by a user


def make_view_tag(link: str, title: str, state: dict[str, Any]) -> tuple[str, str]:
    """Return key and value of the tag that holds a view."""
    value = json.dumps({"name": title, "createdAt": 0, "updatedAt": 0, "state": json.dumps(state)})
    assert len(value) < MAX_TAG_LENGTH, title
    return VIEW_TAG + link, value


def view_link(experiment: str, link: str, charts: bool) -> str:
    """Return the part of the address of a view after that of the server."""
    mode = "&compareRunsMode=CHART" if charts else ""
    return f"/#/experiments/{experiment}/runs?workflowType=machine_learning&viewStateShareKey={quote(link)}{mode}"


def run_link(experiment: str, run: str) -> str:
    """Return the part of the address of a run's page after that of the server."""
    return f"/#/experiments/{experiment}/runs/{run}?workflowType=machine_learning"


def runs_table(where: str, order_by: str, columns: list[str]) -> dict[str, Any]:
    """Return a table of the runs that match the filter `where`, sorted by a column, lowest first."""
    return {
        "searchFilter": where,
        "orderByKey": order_by,
        "orderByAsc": True,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": columns,
        "columnOrder": columns,
        "runsHiddenMode": "SHOWALL",
    }


def group_rows(state: dict[str, Any], tag: str) -> dict[str, Any]:
    """Return `state` with one row, line or bar, the mean, for all runs with the same value of a tag."""
    keys = [{"mode": "tag", "groupByData": tag}]
    return state | {"groupBy": {"aggregateFunction": "average", "groupByKeys": keys}}


def add_charts(state: dict[str, Any], sections: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Return `state` with charts in named sections."""
    charts, headings = [], []
    for number, (title, section_charts) in enumerate(sections.items()):
        section = f"section-{number}"
        size = {"columns": 2 if len(section_charts) > 1 else 1, "cardHeight": CHART_HEIGHT}
        headings.append({"uuid": section, "name": title, "display": True, "isReordered": True} | USER_MADE | size)
        for place, chart in enumerate(section_charts):
            charts.append({"uuid": f"chart-{number}-{place}", "metricSectionId": section} | USER_MADE | chart)
    return state | {"compareRunCharts": charts, "compareRunSections": headings, "isAccordionReordered": True}


def line_chart(metric: str) -> dict[str, Any]:
    """Return a chart of a metric against the epoch, on a logarithmic axis."""
    return {
        "type": "LINE",
        "metricKey": metric,
        "selectedMetricKeys": [metric],
        "runsCountToCompare": CHART_RUNS,
        "lineSmoothness": 0,
        "xAxisKey": "step",
        "xAxisScaleType": "linear",
        "scaleType": "log",
        "yAxisKey": "metric",
        "range": {},
        "displayPoints": False,
        "ignoreOutliers": False,
        "useGlobalLineSmoothing": False,
        "useGlobalXaxisKey": True,
        "selectedXAxisMetricKey": "",
        "yAxisExpressions": [],
    }


def bar_chart(metric: str, runs: int = CHART_RUNS) -> dict[str, Any]:
    """Return a chart with a bar for each run."""
    return {"type": "BAR", "metricKey": metric, "selectedMetricKeys": [metric], "runsCountToCompare": runs}


def scatter_chart(x: str, y: str, kind: str = "METRIC") -> dict[str, Any]:
    """Return a chart of a metric against another, or with `kind` PARAM against a parameter, a point for each run."""
    axes = {"xaxis": {"key": x, "type": kind}, "yaxis": {"key": y, "type": "METRIC"}}
    return {"type": "SCATTER", "runsCountToCompare": CHART_RUNS} | axes


def parallel_chart(params: list[str], metrics: list[str]) -> dict[str, Any]:
    """Return a chart with a line through the parameters and metrics of each run."""
    keys = {"selectedParams": params, "selectedMetrics": metrics}
    return {"type": "PARALLEL", "runsCountToCompare": CHART_RUNS, "showAllRuns": True} | keys


def contour_chart(x: str, y: str, metric: str) -> dict[str, Any]:
    """Return a map of a metric over two parameters."""
    axes = {"xaxis": {"key": x, "type": "PARAM"}, "yaxis": {"key": y, "type": "PARAM"}}
    return {"type": "CONTOUR", "runsCountToCompare": CHART_RUNS, "zaxis": {"key": metric, "type": "METRIC"}} | axes
