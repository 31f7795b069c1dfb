"""Links to views and pages of the tracked runs, printed by the dashboard."""

from typing import Any

from seqlab.tracking.connection import connect
from seqlab.tracking.faults import explain_faults
from seqlab.tracking.views.catalogue import PAGE_RUNS, install_views, list_views
from seqlab.tracking.views.format import run_link


def list_links(uri: str, server: str) -> list[str]:
    """Install the views of every experiment at `uri`, a database or a server, and return lines with links to them.

    The links begin with `server`, the address of MLflow's pages. Raise InputError where `uri` can't be read.
    """
    with explain_faults(uri):
        client = connect(uri)
        experiments = [experiment for experiment in client.search_experiments() if "/" in experiment.name]
        lines = []
        for experiment in sorted(experiments, key=lambda experiment: experiment.name):
            lines += _of_experiment(client, experiment, server.rstrip("/"))
        return [*lines, "", f"all experiments      {server.rstrip('/')}/#/experiments"]


def _of_experiment(client: Any, experiment: Any, server: str) -> list[str]:
    pages = client.search_runs([experiment.experiment_id], PAGE_RUNS)
    views = list_views(experiment.name, pages)
    install_views(client, experiment.experiment_id, experiment.tags, views)
    answer = experiment.tags.get("mlflow.note.content", "").partition(": ")[2]
    lines = ["", experiment.name, *([f"  {answer}"] if answer else [])]
    for view in views:
        lines += _entry(view.title, view.answers, server + view.address(experiment.experiment_id))
    for page in pages:
        link = server + run_link(experiment.experiment_id, page.info.run_id)
        lines += _entry(page.info.run_name, "verdicts, figures, and the command that runs it again", link)
    return lines


def _entry(title: str, answers: str, link: str) -> list[str]:
    return [f"  {title:<18} {answers}", f"  {'':<18} {link}"]
