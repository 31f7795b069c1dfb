"""The program `seqlab`: a table of commands, whose modules are loaded on demand."""

from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from seqlab.io.errors import command

COMMANDS = {  # name -> module with its `app`, and its line in the list
    "score": ("seqlab.cli.score", "print perplexity and bits of a text under a model"),
    "generate": ("seqlab.cli.generate", "continue a prompt"),
    "ngram": ("seqlab.cli.ngram", "train, query, prune and mix n-gram models of any text"),
    "compare": ("seqlab.cli.compare", "compare models on the test split"),
    "audit": ("seqlab.cli.audit", "check that perplexities are fair"),
    "corpora": ("seqlab.cli.corpora", "list the defined texts, or check a text of your own"),
    "dashboard": ("seqlab.cli.dashboard", "show the tracked runs in MLflow's pages"),
    "export": ("seqlab.cli.export", "write all runs as one table"),
    "check-tracking": ("seqlab.cli.check_tracking", "check that runs can be published"),
    "check-crate": ("seqlab.cli.check_crate", "check published results"),
    "doctor": ("seqlab.cli.doctor", "check the installation"),
}
EXIT_CODES = """\b
Exit codes:
  0  success
  1  failure, with its cause and remedy in one sentence on standard error
     (corpora check: the text would stop the workflow; doctor: a requirement is missing;
     audit: a law is broken)
  2  usage error"""


class Commands(TyperGroup):
    """The commands; only the module of the called one is imported."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of the commands in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of that name; None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        loaded = typer.main.get_command(import_module(COMMANDS[cmd_name][0]).app)
        loaded.name = cmd_name
        return loaded

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of `seqlab --help` without importing commands."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


app = typer.Typer(
    cls=Commands,
    name="seqlab",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(is_requested: bool) -> None:
    if is_requested:
        typer.echo(f"seqlab {version('seqlab')}")
        raise typer.Exit


@app.callback()
def _commands(
    _: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="print the version")
    ] = False,
) -> Any:
    """Score, sample and compare n-grams and recurrent networks.

    snakemake runs experiments; these commands use its results. The --help of every command has examples.
    """


@command
def main() -> None:
    """Run the program `seqlab`."""
    app()
