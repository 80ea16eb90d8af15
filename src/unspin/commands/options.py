"""Options that several commands share, and what they load."""

from __future__ import annotations

import codecs
import gc
import math
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypedDict, TypeVar

import click
from click.shell_completion import CompletionItem

from unspin.commands.terminal import is_terminal, product, say
from unspin.decide import MIN_CONFIDENCE, calibrated
from unspin.endpoint import is_url
from unspin.errors import InputError, OutputError
from unspin.files import STDIN, Source, SourceText, exists, read
from unspin.formats import OUTPUTS, Format, HtmlMode, Reading, suffixes
from unspin.language import LanguageModel, default_model, load_model
from unspin.lexicon import Lexicon, shipped
from unspin.model import Keep, Level
from unspin.pipeline import default_lexicon
from unspin.rank import CONTEXT, NEURAL, Ranker, load_ranker
from unspin.rank import DEFAULT as DEFAULT_RANKER
from unspin.schemas import schema
from unspin.sources import SUFFIXES, sources

_COMPARED = {
    Level.DOCUMENT: "whole texts",
    Level.PARAGRAPH: "their paragraphs",
    Level.SENTENCE: "their sentences",
    Level.PASSAGE: "any runs of the same words",
}
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


def complete_rankers(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """The names of shipped rankers, and else paths."""
    names = [CompletionItem(name) for name in (CONTEXT, NEURAL, "none") if name.startswith(incomplete)]
    return names or complete_paths(context, parameter, incomplete)


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
    shell_complete=complete_rankers,
    help="What judges words by their context: shipped, or made by `unspin train`; none goes without.",
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
out_format_option: Decorator[Any] = click.option(
    "--out-format",
    "out",
    type=click.Choice([*map(str, OUTPUTS)]),
    help="Write the restored texts in this format, with what else a record holds. [default: as they came]",
)
keep_duplicates_option: Decorator[Any] = click.option(
    "--keep-duplicates", is_flag=True, help="Leave repeated paragraphs alone."
)
screen_option: Decorator[Any] = click.option(
    "--screen/--no-screen",
    default=True,
    help="Pass texts whose words look clean, without decoding them. [default: screen]",
)
siblings_option: Decorator[Any] = click.option(
    "--siblings",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Another copy of the same original, spun otherwise or not at all, to read along; repeatable, for one text.",
)
no_siblings_option: Decorator[Any] = click.option(
    "--no-siblings", is_flag=True, help="Read each of several texts alone."
)
keep_option: Decorator[Any] = click.option(
    "--keep",
    type=click.Choice([*map(str, Keep)]),
    default=str(Keep.ORIGINAL),
    show_default=True,
    help="Which copy stays. original: the least spun, then the earliest, then the longest.",
)
quiet_option: Decorator[Any] = click.option("-q", "--quiet", is_flag=True, help="Tell of failures only.")


def output_option(told: str, *, required: bool = False) -> Decorator[Any]:
    """`-o DIR`."""
    folder = click.Path(file_okay=False, path_type=Path)
    return click.option("-o", "--output", type=folder, metavar="DIR", required=required, help=told)


def style_option(*styles: str) -> Decorator[Any]:
    """`--format`, as `style`; the first is the default."""
    return click.option("--format", "style", type=click.Choice(styles), default=styles[0], show_default=True)


def level_option(levels: Iterable[Level]) -> Decorator[Any]:
    """`--level`, whole texts unless something else is asked for."""
    return click.option(
        "--level",
        type=click.Choice([*map(str, levels)]),
        default=str(Level.DOCUMENT),
        show_default=True,
        help=f"What is compared: {', '.join(_COMPARED[level] for level in levels)}.",
    )


def min_words_option(default: str) -> Decorator[Any]:
    """`--min-words`; `default` in words."""
    told = f"Leave shorter passages alone. [default: {default}]"
    return click.option("--min-words", type=click.IntRange(min=0), help=told)


_file_options: tuple[Decorator[Any], ...] = (
    click.argument("files", nargs=-1, metavar="[FILES|-]...", callback=_texts, shell_complete=complete_paths),
    click.option(
        "--file-list",
        "lists",
        multiple=True,
        is_eager=True,  # with it, no FILES is not standard input
        metavar="FILE",
        help="Also read the files named in this one, a name on each line or before each NUL; repeatable.",
    ),
)
_reading_options: tuple[Decorator[Any], ...] = (
    click.option(
        "--in-format",
        type=click.Choice([*map(str, Format)]),
        help="How files are read, and what directories are walked for. [default: by name, else by content]",
    ),
    click.option("--text-field", default="text", show_default=True, help="The field or column that holds the text."),
    click.option("--id-field", default="id", show_default=True, help="The field or column that names a record."),
    click.option("--encoding", callback=_encoding, help="Of the files. [default: found out]"),
    click.option(
        "--html",
        type=click.Choice([*map(str, HtmlMode)]),
        default=HtmlMode.MAIN.value,
        show_default=True,
        help="Of pages, read the main text, which comes out as plain text, or all words where they stand.",
    ),
)


def decorated(command: Any, options: Sequence[Decorator[Any]]) -> Any:
    """A command with options that take the place of some of its parameters."""
    for option in reversed(options):
        command = option(command)
    return command


def reading_options(command: Command) -> Command:
    """The options that say how a file is read, as one parameter, `reading`."""

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
        return command(*args, reading=Reading(wanted, text_field, id_field, encoding, HtmlMode(html)), **others)

    made: Command = decorated(collected, _reading_options)
    return made


@dataclass(frozen=True, slots=True)
class Inputs:
    """The files that a command is to read, as they were named, and how."""

    names: tuple[str, ...]
    lists: tuple[str, ...]
    reading: Reading

    def found(
        self, *, skip: Path | None = None, walked: tuple[str, ...] = SUFFIXES
    ) -> tuple[list[Source], list[InputError]]:
        """The sources, and what could not be listed. Directories are walked for the format that was asked for, or for
        `walked`; what lies in `skip` is passed over."""
        wanted = suffixes(self.reading.format) if self.reading.format else walked
        return sources(self.names, skip=skip, suffixes=wanted, lists=self.lists)


def inputs_options(command: Command) -> Command:
    """FILES, and the options that say which they are and how they are read, as one parameter, `inputs`."""

    @wraps(command)
    def collected(*args: Any, files: tuple[str, ...], lists: tuple[str, ...], reading: Reading, **others: Any) -> Any:
        return command(*args, inputs=Inputs(files, lists, reading), **others)

    made: Command = decorated(reading_options(collected), _file_options)
    return made


def _print_schema(context: click.Context, name: str | None) -> None:
    if name and not context.resilient_parsing:
        product(schema(name))
        context.exit()


def schema_option(name: str, *, of: str) -> Decorator[Any]:
    """`--schema`: prints the JSON Schema `name`, which says what `of` looks like."""

    def show(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        _print_schema(context, name if value else None)

    told = f"Print the JSON Schema of {of}, and exit."
    return click.option("--schema", is_flag=True, is_eager=True, expose_value=False, callback=show, help=told)


def schemas_option(schemas: Mapping[str, str], *, of: str) -> Decorator[Any]:
    """`--schema NAME`: prints one of several JSON Schemas, by what it is of."""

    def show(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
        _print_schema(context, schemas[value] if value else None)

    told = f"Print the JSON Schema of {of}, and exit."
    names = click.Choice([*schemas])
    return click.option("--schema", type=names, is_eager=True, expose_value=False, callback=show, help=told)


def stages_options(command: Command) -> Command:
    """The options that say what to restore with: parameters `lexicons`, `model` and `ranker`, as `stages` takes."""
    made: Command = decorated(command, (lexicon_option, model_option, ranker_option))
    return made


class Stages(TypedDict):
    """What `restore` and `inspect` take by these names."""

    lexicon: Lexicon
    model: LanguageModel
    ranker: Ranker


def stages(lexicons: Sequence[str] = (), model: Path | None = None, ranker: str = DEFAULT_RANKER) -> Stages:
    """The lexicon and the models that were asked for. Raises InputError or FormatError."""
    if is_url(ranker):
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
