"""An endpoint that decides what would be held: the options that say which, and what is said of what it did."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import wraps
from typing import Any

import click
from click.core import ParameterSource

from unspin import endpoint as chat
from unspin.ask import decide_held
from unspin.commands import options
from unspin.commands.options import Command, complete_rankers
from unspin.commands.terminal import counted, say
from unspin.endpoint import Endpoint
from unspin.model import DecidedBy, Restoration
from unspin.rank import DEFAULT as DEFAULT_RANKER

_OPTIONS: tuple[options.Decorator[Any], ...] = (
    click.option(
        "--ranker",
        default=DEFAULT_RANKER,
        show_default=True,
        metavar="NAME|PATH|none|URL",
        shell_complete=complete_rankers,
        help="What judges words by their context: shipped, or made by `unspin train`; none goes without. A URL: the "
        "shipped one, and then an OpenAI-compatible endpoint, which decides what would be held.",
    ),
    click.option("--ranker-model", metavar="NAME", help="The endpoint's model. [default: the first that it lists]"),
    click.option(
        "--batch",
        type=click.IntRange(min=1),
        default=chat.BATCH,
        show_default=True,
        help="Ask the endpoint about so many candidates at once.",
    ),
    click.option(
        "--budget",
        type=click.IntRange(min=0),
        default=chat.BUDGET,
        show_default=True,
        help="Send the endpoint so many requests at most, for all texts together; what is left stays held.",
    ),
    click.option(
        "--cache/--no-cache",
        default=True,
        help="Remember the endpoint's answers, below XDG_CACHE_HOME or ~/.cache. [default: cache]",
    ),
)


@dataclass(frozen=True, slots=True)
class Asking:
    """The ranker that was asked for and, if it is a URL, how the endpoint there is asked."""

    wanted: str
    model: str | None
    batch: int
    budget: int
    cache: bool

    @property
    def ranker(self) -> str:
        """The ranker that judges words on this machine."""
        return DEFAULT_RANKER if chat.is_url(self.wanted) else self.wanted

    def endpoint(self) -> AbstractContextManager[Endpoint | None]:
        """The endpoint, if one is to be asked. Says what leaves the machine. Raises EndpointError."""
        if not chat.is_url(self.wanted):
            context = click.get_current_context()
            for name in ("ranker_model", "batch", "budget", "cache"):
                if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
                    raise click.UsageError(f"--{name.replace('_', '-')} needs --ranker URL")
            return nullcontext()
        remembered = chat.cache_path() if self.cache else None
        made = Endpoint(self.wanted, model=self.model, batch=self.batch, budget=self.budget, cache=remembered)
        if not made.is_local:
            say(f"sentences that hold undecided candidates, with their options, are sent to {made.url}")
        return made


def asking_options(command: Command) -> Command:
    """`--ranker`, where it may be a URL, and what goes with it, as one parameter, `asking`."""

    @wraps(command)
    def collected(
        *args: Any, ranker: str, ranker_model: str | None, batch: int, budget: int, cache: bool, **others: Any
    ) -> Any:
        return command(*args, asking=Asking(ranker, ranker_model, batch, budget, cache), **others)

    made: Command = options.decorated(collected, _OPTIONS)
    return made


def asked(restoration: Restoration, endpoint: Endpoint, name: str, *, quiet: bool) -> Restoration:
    """The restoration as the endpoint decides what is held."""
    decided = decide_held(restoration, endpoint)
    swaps = [edit.decided_by for edit in decided.edits].count(DecidedBy.ENDPOINT)
    alone = len(restoration.held) - len(decided.held) - swaps
    if restoration.held and not quiet:
        say(f"{name}: the endpoint restored {swaps:,} and left {alone:,} alone of {len(restoration.held):,} held")
    return decided


def account(endpoint: Endpoint) -> None:
    """What the endpoint did not decide, and why."""
    if endpoint.unanswered:
        say(f"held for want of a usable answer: {counted(endpoint.unanswered, 'candidate')}")
    if endpoint.unasked:
        spent = f"the budget of {counted(endpoint.budget, 'request')} is spent (--budget)"
        say(f"held, not asked about: {counted(endpoint.unasked, 'candidate')}; {spent}")
