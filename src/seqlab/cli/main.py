"""`seqlab`: a table of commands. Each lives in a module of its own, which is loaded when its command is called."""

from importlib import import_module
from importlib.metadata import version
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from seqlab.io.errors import command

COMMANDS = {  # name -> the module whose `app` it is, and what stands beside it in the list
    "score": ("seqlab.cli.score", "say what a text costs a model, in perplexity and bits"),
    "generate": ("seqlab.cli.generate", "go on with a prompt"),
    "compare": ("seqlab.cli.compare", "say whether one model is better than another"),
    "corpora": ("seqlab.cli.corpora", "list the texts there are, or check one of your own"),
    "dashboard": ("seqlab.cli.dashboard", "show the tracked runs in MLflow's pages"),
    "export": ("seqlab.cli.export", "write all runs as one table"),
    "check-tracking": ("seqlab.cli.check_tracking", "say whether runs can be published, and why not"),
    "doctor": ("seqlab.cli.doctor", "say what is missing here, and how to get it"),
}
EXIT_CODES = """\b
Exit codes:
  0  done
  1  it could not be done: one sentence on standard error says why and what helps
     (corpora check: the text would stop the workflow; doctor: something is missing)
  2  the command was written in a wrong way"""


class Commands(TyperGroup):
    """The commands, of which only the one that is called is imported."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Their names, in the order of the table."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """The command of that name, or None."""
        if cmd_name not in COMMANDS:
            return None
        found = typer.main.get_command(import_module(COMMANDS[cmd_name][0]).app)
        found.name = cmd_name
        return found

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the list of `seqlab --help` without importing any."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, what) for name, (_, what) in COMMANDS.items()])


app = typer.Typer(
    cls=Commands,
    name="seqlab",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    epilog=EXIT_CODES,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"seqlab {version('seqlab')}")
        raise typer.Exit


@app.callback()
def _commands(
    _: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="the version")] = False,
) -> Any:
    """How well do n-grams and recurrent networks predict a text?

    Experiments are run by snakemake; these commands use what it has made. Each has a --help with examples.
    """


@command
def main() -> None:
    """The program `seqlab`."""
    app()
