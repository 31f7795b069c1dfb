"""How MLflow stores the views of an experiment: a tag with a JSON text in it. Internal to MLflow, and known to hold for
the version that pyproject.toml pins; tests/workflow/test_dashboard_in_browser.py opens each view in a browser and
fails when another version reads it differently.
"""

import json
from typing import Any

VIEW_TAG = "mlflow.sharedViewState."  # and the name by which a link asks for the view
HEIGHT = 430  # of a chart, in pixels
LARGEST_TAG = 20_000  # characters of an experiment's tag
CHART_RUNS = 100  # at most so many in a chart; MLflow draws ten unless told
KEPT = {"deleted": False, "isGenerated": False}  # a chart or section that somebody made


def view_tag(link: str, title: str, state: dict[str, Any]) -> tuple[str, str]:
    """Key and value of the tag that holds a view."""
    value = json.dumps({"name": title, "createdAt": 0, "updatedAt": 0, "state": json.dumps(state)})
    assert len(value) < LARGEST_TAG, title
    return VIEW_TAG + link, value


def view_link(experiment: str, link: str, charts: bool) -> str:
    """The part of an address that opens a view, after the server's own address."""
    mode = "&compareRunsMode=CHART" if charts else ""
    return f"/#/experiments/{experiment}/runs?workflowType=machine_learning&viewStateShareKey={link}{mode}"


def run_link(experiment: str, run: str) -> str:
    """The part of an address that opens the page of a run."""
    return f"/#/experiments/{experiment}/runs/{run}?workflowType=machine_learning"


def runs_table(where: str, order_by: str, columns: list[str]) -> dict[str, Any]:
    """A table of the runs that fulfil `where`, sorted by a column, lowest first."""
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


def grouped(state: dict[str, Any], tag: str) -> dict[str, Any]:
    """`state` with one row, line or bar for all runs that agree in a tag, with the means of their metrics."""
    keys = [{"mode": "tag", "groupByData": tag}]
    return state | {"groupBy": {"aggregateFunction": "average", "groupByKeys": keys}}


def with_charts(state: dict[str, Any], sections: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """`state` with charts in named sections."""
    charts, headings = [], []
    for number, (title, found) in enumerate(sections.items()):
        section = f"section-{number}"
        size = {"columns": 2 if len(found) > 1 else 1, "cardHeight": HEIGHT}
        headings.append({"uuid": section, "name": title, "display": True, "isReordered": True} | KEPT | size)
        for place, chart in enumerate(found):
            charts.append({"uuid": f"chart-{number}-{place}", "metricSectionId": section} | KEPT | chart)
    return state | {"compareRunCharts": charts, "compareRunSections": headings, "isAccordionReordered": True}


def line_chart(metric: str) -> dict[str, Any]:
    """A metric against the epoch, on a logarithmic axis."""
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
    """A bar for each run."""
    return {"type": "BAR", "metricKey": metric, "selectedMetricKeys": [metric], "runsCountToCompare": runs}


def scatter_chart(x: str, y: str) -> dict[str, Any]:
    """One metric against another, a point for each run."""
    axes = {"xaxis": {"key": x, "type": "METRIC"}, "yaxis": {"key": y, "type": "METRIC"}}
    return {"type": "SCATTER", "runsCountToCompare": CHART_RUNS} | axes


def parallel_chart(params: list[str], metrics: list[str]) -> dict[str, Any]:
    """A line through the parameters and metrics of each run."""
    chosen = {"selectedParams": params, "selectedMetrics": metrics}
    return {"type": "PARALLEL", "runsCountToCompare": CHART_RUNS, "showAllRuns": True} | chosen


def contour_chart(x: str, y: str, metric: str) -> dict[str, Any]:
    """A metric over two parameters, as a map."""
    axes = {"xaxis": {"key": x, "type": "PARAM"}, "yaxis": {"key": y, "type": "PARAM"}}
    return {"type": "CONTOUR", "runsCountToCompare": CHART_RUNS, "zaxis": {"key": metric, "type": "METRIC"}} | axes
