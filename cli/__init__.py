"""The command line, ``genurl-graph``: one module per command, loaded when the command is used."""

from importlib import import_module
from typing import Any

import click

from genurl_graph.exceptions import DivergenceError, InputError, LostProcessError, ShortMemoryError

# Command = name of its module and of the click command in it.
COMMANDS = (
    *("inspect", "prepare", "embed", "distill", "transform", "explore", "evaluate", "compare", "ablate", "ogb"),
    *("rerun", "config", "datasets", "doctor"),
)

BAD_INPUT, FAILED, INTERRUPTED = 2, 1, 130


class Stop(click.ClickException):
    """End the program with one line on standard error and the given exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # click reads it from the instance


class LazyGroup(click.Group):
    """Imports a command's module only when the command is asked for, and turns errors into messages."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = import_module(f"genurl_graph.cli.{cmd_name}")
        command: click.Command = getattr(module, cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except InputError as error:
            raise Stop(str(error), BAD_INPUT) from error
        except (DivergenceError, LostProcessError, ShortMemoryError) as error:
            raise Stop(str(error), FAILED) from error
        except MemoryError as error:
            raise Stop(f"out of memory: {error}", FAILED) from error
        except KeyboardInterrupt as error:
            raise Stop("interrupted", INTERRUPTED) from error


def _version(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    if value:
        import genurl_graph

        click.echo(f"genurl-graph {genurl_graph.__version__}")
        ctx.exit()


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Version.")
def main() -> None:
    """Embed graphs and vectors: everything becomes a graph, and one sparse loss embeds it.

    \b
    A first try, without a download:   genurl-graph embed --dataset python-modules --plot modules.png
    All data sets:                     genurl-graph datasets
    Completion in bash:                eval "$(_GENURL_GRAPH_COMPLETE=bash_source genurl-graph)"
    """
