"""The command line: parse, call, render, exit.

Standard output is product, standard error is talk. Exit codes: 0 fine, 1 `--check` found work, 2 usage,
3 failure, 130 interrupted. A reader that closes the pipe early (`| head`) ends a command quietly.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import NoReturn

import click
from click.shell_completion import CompletionItem

from unspin.errors import UnspinError

INTERRUPTED = 130
TERMINATED = 143  # 128 + SIGTERM, as shells have it

# Commands are imported when they run: the list of them must come up at once.
_SUMMARIES = {
    "clean": "Remove repeated paragraphs, map swaps back; emit text or a diff.",
    "batch": "Clean a whole scrape with all processors; stop and go on at will.",
    "report": "Show what a batch did, as a page with charts and every diff.",
    "review": "See, decide and undo proposed corrections, one by one or many.",
    "apply": "Write texts as a review decided.",
    "dedupe": "Find copies across texts: exact, near, respun, excerpts.",
    "index": "Check texts against all that were seen before.",
    "inspect": "Show spin evidence, candidates and repeats; change nothing.",
    "explain": "Show what a change was decided from; make recorded edits again.",
    "check": "Run golden cases; fail if one regressed.",
    "evaluate": "Score restorations against gold.",
    "learn": "Learn a lexicon from originals and their spun copies.",
    "train": "Train a context ranker from clean text.",
    "spin": "Spin clean texts, for training, tests and benchmarks.",
    "lexicon": "Check, format, try, look up and merge lexicons.",
    "language": "Compile language models.",
    "completion": "Print a script that makes a shell complete all of this.",
    "doctor": "Tell of this installation, and test it, for a bug report.",
    "spark": "Clean and deduplicate on a Spark cluster.",
}


class Deferred(click.Group):
    """A group whose commands stand in modules of `unspin.commands` by their names."""

    def __init__(self, *, summaries: Mapping[str, str], **attributes: object) -> None:
        super().__init__(**attributes)  # type: ignore[arg-type]  # click's own keywords
        self.summaries = summaries

    def list_commands(self, context: click.Context) -> list[str]:
        return list(self.summaries)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in self.summaries:
            return None
        command = import_module(f"unspin.commands.{name}").command
        assert isinstance(command, click.Command)
        return command

    def shell_complete(self, context: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands by their summaries: whoever presses Tab should not wait for all of them to be imported."""
        named = [
            CompletionItem(name, help=told) for name, told in self.summaries.items() if name.startswith(incomplete)
        ]
        return named + click.Command.shell_complete(self, context, incomplete)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self.summaries.items()))


def _version(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from importlib.metadata import PackageNotFoundError, version

        try:
            click.echo(f"unspin {version('unspin')}")
        except PackageNotFoundError:
            click.echo("unspin 0 (a source tree, not installed)")
        context.exit()


@click.group(cls=Deferred, summaries=_SUMMARIES, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--version", is_flag=True, expose_value=False, is_eager=True, callback=_version, help="Show the version.")
def unspin() -> None:
    """Undo article spinning: find what an automatic spinner swapped and repeated, and restore it.

    Restored text and diffs go to standard output, remarks to standard error. Files are changed only with
    --write, and made only with -o.

    \b
    Examples:
      unspin clean scraped.txt > restored.txt
      unspin clean --diff words scraped.txt
      unspin clean --write articles/
      unspin inspect scraped.txt

    Exit codes: 0 fine, 1 --check found work, 2 usage, 3 failure, 130 interrupted.
    """


def main() -> NoReturn:
    """Run the command line on `sys.argv`, and exit."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))  # so that temporary files go
    sys.exit(_run())


def _run() -> int:
    try:
        code = unspin.main(prog_name="unspin", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:  # what click makes of Ctrl-C
        return INTERRUPTED
    except UnspinError as error:
        from unspin.commands.terminal import FAILED, complain

        complain(error)
        return FAILED
    return code if isinstance(code, int) else 0
