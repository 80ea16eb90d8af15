"""Options that several commands share, and what they load."""

from __future__ import annotations

import codecs
import gc
import math
import re
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import wraps
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import click
from click.core import ParameterSource
from click.shell_completion import CompletionItem

from unspin import endpoint as chat
from unspin.commands.terminal import is_terminal, product, say
from unspin.decide import MIN_CONFIDENCE, calibrated
from unspin.errors import OutputError
from unspin.files import STDIN, Source, SourceText, exists, read
from unspin.formats import Format, HtmlMode, Reading, suffixes
from unspin.language import LanguageModel, default_model, load_model
from unspin.lexicon import Lexicon, shipped
from unspin.pipeline import default_lexicon
from unspin.rank import CONTEXT, NEURAL, Ranker, load_ranker
from unspin.rank import DEFAULT as DEFAULT_RANKER
from unspin.schemas import schema
from unspin.sources import SUFFIXES

Command = TypeVar("Command", bound=Callable[..., Any])
Decorator = Callable[[Command], Command]


def _texts(context: click.Context, parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    if value.count(STDIN) > 1:
        raise click.BadParameter("'-' can be read once only")
    if not value and context.params.get("lists"):
        return value
    if not value and is_terminal(sys.stdin):
        raise click.UsageError("give FILES, or pipe a text in")
    return value or (STDIN,)


def _encoding(context: click.Context, parameter: click.Parameter, value: str | None) -> str | None:
    try:
        return codecs.lookup(value).name if value else None
    except LookupError as error:
        raise click.BadParameter(f"there is no encoding {value!r}") from error


def _number(context: click.Context, parameter: click.Parameter, value: float) -> float:
    if math.isnan(value):  # it lies in every range
        raise click.BadParameter("nan is no number")
    return value


_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?)B?\s*", re.IGNORECASE)
_UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
LEAST = 50_000_000  # bytes of memory


def _size(context: click.Context, parameter: click.Parameter, value: str | None) -> int | None:
    if value is None:
        return None
    match = _SIZE.fullmatch(value)
    size = int(float(match[1]) * _UNITS[match[2].upper()]) if match else 0
    if size < LEAST:
        raise click.BadParameter(f"{value!r} is no size of {LEAST // 1_000_000}M or more; write 500M or 2G")
    return size


def complete_paths(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Paths are left to the shell, which knows them best."""
    return [CompletionItem(incomplete, type="file")]


def complete_lexicons(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of shipped lexicons, and else paths; a shell cannot be told of both."""
    names = [CompletionItem(name) for name in shipped() if name.startswith(incomplete)]
    return names or complete_paths(context, parameter, incomplete)


def _complete_rankers(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    names = [CompletionItem(name) for name in (CONTEXT, NEURAL, "none") if name.startswith(incomplete)]
    return names or complete_paths(context, parameter, incomplete)


texts_argument: Decorator[Any] = click.argument(
    "files", nargs=-1, metavar="[FILES|-]...", callback=_texts, shell_complete=complete_paths
)
lexicon_option: Decorator[Any] = click.option(
    "--lexicon",
    "lexicons",
    multiple=True,
    metavar="NAME|PATH",
    shell_complete=complete_lexicons,
    help="A lexicon, shipped or your own; repeatable, later ones overrule earlier ones. [default: en-autoblog]",
)
model_option: Decorator[Any] = click.option(
    "--model",
    type=click.Path(path_type=Path),
    help="A language model: ARPA, or made by `unspin language compile`. [default: the shipped one]",
)
ranker_option: Decorator[Any] = click.option(
    "--ranker",
    default=DEFAULT_RANKER,
    show_default=True,
    metavar="NAME|PATH|none",
    shell_complete=_complete_rankers,
    help="What judges words by their context: shipped, or made by `unspin train`; none goes without.",
)
_endpoint_options: tuple[Decorator[Any], ...] = (
    click.option(
        "--ranker",
        default=DEFAULT_RANKER,
        show_default=True,
        metavar="NAME|PATH|none|URL",
        shell_complete=_complete_rankers,
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
confidence_option: Decorator[Any] = click.option(
    "--min-confidence",
    type=click.FloatRange(0.0, 1.0),
    default=MIN_CONFIDENCE,
    show_default=True,
    callback=_number,
    help="Restore what is at least this sure to be right, and hold the rest; the confidences of swaps stay below "
    f"{math.ceil(100 * calibrated(1.0)) / 100:g}.",
)
colour_option: Decorator[Any] = click.option(
    "--color/--no-color",
    "colour",
    default=None,
    help="Colours on standard output. [default: if it is a terminal; NO_COLOR and FORCE_COLOR are respected]",
)
held_out_option: Decorator[Any] = click.option(
    "--held-out",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="PAIRS",
    help="Leave out paragraphs that share ten words in a row with these originals; repeatable.",
)
memory_option: Decorator[Any] = click.option(
    "--memory",
    metavar="SIZE",
    callback=_size,
    help="Hold so much at a time (500M, 2G), and the rest in temporary files. [default: everything in memory]",
)
search_option: Decorator[Any] = click.option(
    "--memory",
    metavar="SIZE",
    default="1G",
    show_default=True,
    callback=_size,
    help="In the search for copies, hold so much at a time (500M, 2G), and the rest in temporary files.",
)
force_option: Decorator[Any] = click.option("--force", is_flag=True, help="Overwrite files that exist.")


_reading_options: tuple[Decorator[Any], ...] = (
    click.option(
        "--file-list",
        "lists",
        multiple=True,
        is_eager=True,  # with it, no FILES is not standard input
        metavar="FILE",
        help="Also read the files named in this one, a name on each line or before each NUL; repeatable.",
    ),
    click.option(
        "--in-format",
        type=click.Choice([*map(str, Format)]),
        help="How the files are read; directories are walked for such. [default: by name, else by content; "
        "directories are walked for txt and md]",
    ),
    click.option("--text-field", default="text", show_default=True, help="The field or column that holds the text."),
    click.option("--id-field", default="id", show_default=True, help="The field or column that names a record."),
    click.option("--encoding", callback=_encoding, help="Of the files. [default: found out]"),
    click.option(
        "--html",
        type=click.Choice([*map(str, HtmlMode)]),
        default=HtmlMode.MAIN.value,
        show_default=True,
        help="Of pages, restore the main text, which comes out as plain text, or all words where they stand.",
    ),
)


def reading_options(command: Command) -> Command:
    """The options that say how files are read: parameters `lists` and `reading`, and what directories are walked for
    as `walked`."""

    @wraps(command)
    def collected(
        *args: Any,
        in_format: str | None,
        text_field: str,
        id_field: str,
        encoding: str | None,
        html: str,
        **others: Any,
    ) -> Any:
        wanted = Format(in_format) if in_format else None
        reading = Reading(wanted, text_field, id_field, encoding, HtmlMode(html))
        return command(*args, reading=reading, walked=suffixes(wanted) if wanted else SUFFIXES, **others)

    for option in reversed(_reading_options):
        collected = option(collected)
    return collected  # type: ignore[return-value]  # it takes the parameters of the options instead


def schema_option(name: str, *, of: str) -> Decorator[Any]:
    """`--schema`: prints the JSON Schema `name`, which says what `of` looks like."""

    def show(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        if value and not context.resilient_parsing:
            product(schema(name))
            context.exit()

    told = f"Print the JSON Schema of {of}, and exit."
    return click.option("--schema", is_flag=True, is_eager=True, expose_value=False, callback=show, help=told)


def stages_options(command: Command) -> Command:
    """The options that say what to restore with: parameters `lexicons`, `model` and `ranker`, as `stages` takes."""
    decorated: Command = lexicon_option(model_option(ranker_option(command)))
    return decorated


def endpoint_options(command: Command) -> Command:
    """`--ranker`, where it may be a URL, and what goes with it: parameters as `endpoint` takes."""
    for option in reversed(_endpoint_options):
        command = option(command)
    return command


class Stages(TypedDict):
    """What `restore` and `inspect` take by these names."""

    lexicon: Lexicon
    model: LanguageModel
    ranker: Ranker


def stages(lexicons: Sequence[str] = (), model: Path | None = None, ranker: str = DEFAULT_RANKER) -> Stages:
    """The lexicon and the models that were asked for. Raises InputError or FormatError."""
    if chat.is_url(ranker):
        raise click.UsageError("a URL decides what is held, for `unspin clean --ranker URL` alone")
    loaded = Stages(
        lexicon=Lexicon.load(*lexicons) if lexicons else default_lexicon(),
        model=load_model(model) if model else default_model(),
        ranker=load_ranker(ranker),
    )
    gc.freeze()  # they stay: looking for garbage in them, again and again, costs a fifth of decoding
    return loaded


def refuse_existing(path: Path, *, force: bool) -> None:
    """Before any work is done: raises OutputError if something is there already, unless it may go."""
    if exists(path) and not force:
        raise OutputError(path, "exists; --force overwrites it")


def read_aloud(source: Source, *, quiet: bool = False) -> SourceText:
    """Read a text; say so if its encoding was guessed. Raises InputError."""
    text = read(source)
    if text.is_guessed and not quiet:
        say(f"{source.name}: not UTF-8, read as {text.encoding}")
    return text


def endpoint(
    ranker: str, *, model: str | None, batch: int, budget: int, cache: bool
) -> AbstractContextManager[chat.Endpoint | None]:
    """The endpoint at the URL `ranker`, if it is one. Says what leaves the machine. Raises EndpointError."""
    if not chat.is_url(ranker):
        context = click.get_current_context()
        for name in ("ranker_model", "batch", "budget", "cache"):
            if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
                raise click.UsageError(f"--{name.replace('_', '-')} needs --ranker URL")
        return nullcontext()
    remembered = chat.cache_path() if cache else None
    made = chat.Endpoint(ranker, model=model, batch=batch, budget=budget, cache=remembered)
    if not made.is_local:
        say(f"sentences that hold undecided candidates, with their options, are sent to {made.url}")
    return made
