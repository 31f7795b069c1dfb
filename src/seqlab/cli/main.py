"""`seqlab`: a table of commands. Each lives in a module of its own, which is loaded when its command is called."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup

from seqlab.errors import command

COMMANDS = {  # name -> the module whose `app` it is, and what stands beside it in the list
    "export": ("seqlab.cli.export", "write all runs as one table"),
    "check-tracking": ("seqlab.cli.check_tracking", "say whether runs can be published, and why not"),
}


class Commands(TyperGroup):
    """The commands, of which only the one that is called is imported."""

    def list_commands(self, ctx: Any) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        if cmd_name not in COMMANDS:
            return None
        found = typer.main.get_command(import_module(COMMANDS[cmd_name][0]).app)
        found.name = cmd_name
        return found

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, what) for name, (_, what) in COMMANDS.items()])


app = typer.Typer(
    cls=Commands, name="seqlab", add_completion=False, no_args_is_help=True, rich_markup_mode=None,
    pretty_exceptions_enable=False, help="How well do n-grams and recurrent networks predict a text?",
)  # fmt: skip


@app.callback()
def _commands() -> Any:
    """How well do n-grams and recurrent networks predict a text?"""


@command
def main() -> None:
    app()
