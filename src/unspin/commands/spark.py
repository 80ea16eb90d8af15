"""`unspin spark`: what `clean` and `dedupe` do, over Parquet or JSON Lines of any size, on a Spark cluster.

Paths go in, wherever Spark reads from (local, hdfs://, s3a://); Parquet or JSON Lines come out. Refused, by
UnspinError: to run without the extra `spark` or without Java, input that cannot be read, an output that exists; by
`click.UsageError`: columns that are missing.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import click

from unspin.commands import options
from unspin.commands.dedupe import MIN_WORDS
from unspin.commands.terminal import FAILED, counted, say
from unspin.errors import OutputError, SparkFault, UnspinError
from unspin.lexicon import Lexicon
from unspin.model import DuplicateKind, Keep, Level
from unspin.pipeline import default_lexicon
from unspin.units import UNITS

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

_NEEDS = ("pyspark", "pyarrow", "pandas")
FORMATS = {"parquet": "parquet", "jsonl": "json"}  # and what Spark calls them
SCRATCH = ".scratch"  # and something unique is added to an output: where intermediate results go, for the time being


def _submit_file(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        click.echo(Path(__file__).parents[1] / "submit" / "spark.py")
        context.exit()


@click.group("spark")
@click.option(
    "--submit-file",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_submit_file,
    help="Print the file that spark-submit is given, and exit.",
)
def command() -> None:
    """Clean and deduplicate on a Spark cluster.

    Either by itself, with --master (by default, all processors of this machine), or through spark-submit, which is
    given a file of unspin's and takes the cluster's options. unspin must be installed on every executor.

    \b
    Examples:
      unspin spark clean scrape/ -o cleaned/
      unspin spark dedupe scrape/ --format jsonl -o unique/ --groups copies/
      spark-submit --master spark://head:7077 $(unspin spark --submit-file) clean s3a://b/scrape -o s3a://b/cleaned
    """


def _shared(decorated: Any) -> Any:
    """The options of both commands."""
    shared = (
        click.argument("paths", nargs=-1, required=True, metavar="IN..."),
        click.option(
            "--format",
            "style",
            type=click.Choice([*FORMATS]),
            default="parquet",
            show_default=True,
            help="Of what is read and written.",
        ),
        click.option("--text-field", default="text", show_default=True, help="The column of texts."),
        click.option("--id-field", default="id", show_default=True, help="The column that names each of them."),
        options.lexicon_option,
        click.option("--master", metavar="URL", help="The cluster. [default: spark-submit's, or this machine]"),
        click.option("--conf", multiple=True, metavar="KEY=VALUE", help="A setting of Spark's; repeatable."),
        click.option(
            "--checkpoint-dir",
            metavar="DIR",
            help="Where all executors can write intermediate results. [default: beside the output, deleted in the end]",
        ),
        options.force_option,
        options.quiet_option,
    )
    return options.decorated(decorated, shared)


@contextmanager
def _session(name: str, *, master: str | None, conf: tuple[str, ...]) -> Iterator[SparkSession]:
    """A Spark session, for as long as the `with` statement lasts. What fails inside comes as an UnspinError."""
    try:
        for package in _NEEDS:
            import_module(package)
    except ImportError as error:
        raise UnspinError(f"unspin spark needs {error.name}: pip install 'unspin[spark]'") from error
    from py4j.protocol import Py4JJavaError
    from pyspark.errors import PySparkException
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.appName(f"unspin {name}")
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if master:
        builder = builder.master(master)
    for setting in conf:
        key, equals, value = setting.partition("=")
        if not equals:
            raise click.UsageError(f"--conf {setting}: write KEY=VALUE")
        builder = builder.config(key, value)
    try:
        spark = builder.getOrCreate()
        try:
            yield spark
        finally:
            spark.stop()
    except PySparkException as error:
        if error.getErrorClass() == "JAVA_GATEWAY_EXITED":
            raise SparkFault("Java cannot be started; install it (Debian: default-jre-headless)") from error
        raise SparkFault(" ".join(str(error).partition("\n")[0].split())) from error
    except Py4JJavaError as error:
        raise SparkFault(f"the job failed: {error.java_exception}".split("\n")[0]) from error
    except ValueError as error:
        raise click.UsageError(str(error)) from error


def _read(spark: SparkSession, paths: tuple[str, ...], style: str) -> DataFrame:
    return spark.read.format(FORMATS[style]).load(list(paths))


def _write(frame: DataFrame, path: str, style: str, *, force: bool) -> None:
    frame.write.format(FORMATS[style]).mode("overwrite" if force else "errorifexists").save(path)


@contextmanager
def _prepared(spark: SparkSession, outputs: list[str], *, force: bool, checkpoints: str | None) -> Iterator[None]:
    """Refuses outputs that exist before any work is done, and sees to it that intermediate results have a place.

    They are deleted in the end, unless somebody else chose where they go. Raises OutputError.
    """
    from unspin.spark.scratch import delete, exists

    for path in outputs:
        if not force and exists(spark, path):
            raise OutputError(path, "exists; --force overwrites it")
    made = f"{outputs[0].rstrip('/')}{SCRATCH}-{uuid4().hex[:8]}"
    try:
        spark.sparkContext.setCheckpointDir(checkpoints or made)
        yield
    finally:
        if not checkpoints:
            delete(spark, made)


@command.command("clean")
@_shared
@click.option("-o", "--output", required=True, metavar="OUT", help="Write the rows here, with what was restored.")
@click.option("--out-field", default="restored", show_default=True, help="The new column of restored texts.")
@click.option("--siblings", is_flag=True, help="Find copies among the texts, and read them together.")
@options.confidence_option
@options.keep_duplicates_option
@options.screen_option
@options.model_option
@options.ranker_option
def clean_command(
    paths: tuple[str, ...],
    style: str,
    text_field: str,
    id_field: str,
    lexicons: tuple[str, ...],
    master: str | None,
    conf: tuple[str, ...],
    checkpoint_dir: str | None,
    force: bool,
    quiet: bool,
    output: str,
    out_field: str,
    siblings: bool,
    min_confidence: float,
    keep_duplicates: bool,
    screen: bool,
    model: Path | None,
    ranker: str,
) -> None:
    """Remove repeated paragraphs and map swaps back, row by row.

    Every row of IN goes to OUT, with the restored text and what was changed in new columns. A row that fails says why
    in `error`; the others are done, and the exit code is 3.

    \b
    Examples:
      unspin spark clean scrape.parquet -o cleaned.parquet
      unspin spark clean scrape/ --format jsonl --text-field body --siblings -o cleaned/
    """
    with _session("clean", master=master, conf=conf) as spark:
        from pyspark.sql import functions as f

        from unspin.spark import clean

        with _prepared(spark, [output], force=force, checkpoints=checkpoint_dir):
            restored = clean(
                _read(spark, paths, style),
                text_field,
                id_col=id_field if siblings else None,
                out_col=out_field,
                siblings=siblings,
                lexicon=Lexicon.load(*lexicons) if lexicons else None,
                model=model,
                ranker=ranker,
                min_confidence=min_confidence,
                keep_duplicates=keep_duplicates,
                screened=screen,
            )
            _write(restored, output, style, force=force)
        done = spark.read.format(FORMATS[style]).schema(restored.schema).load(output)
        counts = done.select(f.count("*"), f.count_if("is_spun"), f.count("error")).first()
        assert counts is not None  # an aggregate has a row
    texts, spun, failed = counts
    if not quiet:
        say(f"{counted(texts, 'text')}, {spun:,} spun, {failed:,} failed")
    click.get_current_context().exit(FAILED if failed else 0)


@command.command("dedupe")
@_shared
@click.option("-o", "--output", metavar="OUT", help="Write the rows here, without the copies in their texts.")
@click.option("--groups", metavar="OUT", help="Write here which passages are copies of which.")
@options.level_option(UNITS)
@options.keep_option
@click.option("--date-field", help="A column of numbers, days or times, for --keep original and newest.")
@options.min_words_option("0 for documents, 25 for paragraphs, 12 for sentences")
def dedupe_command(
    paths: tuple[str, ...],
    style: str,
    text_field: str,
    id_field: str,
    lexicons: tuple[str, ...],
    master: str | None,
    conf: tuple[str, ...],
    checkpoint_dir: str | None,
    force: bool,
    quiet: bool,
    output: str | None,
    groups: str | None,
    level: str,
    keep: str,
    date_field: str | None,
    min_words: int | None,
) -> None:
    """Find copies across texts: exact, near, respun, excerpts.

    The same copies as `unspin dedupe` finds. With -o, the rows go to OUT without them, and those of which nothing stays
    are left out; with --groups, a row for each passage that has a copy says of which group it is, and why.

    \b
    Examples:
      unspin spark dedupe scrape.parquet -o unique.parquet
      unspin spark dedupe scrape/ --level paragraph --date-field fetched --groups copies.parquet
    """
    outputs = [path for path in (output, groups) if path]
    if not outputs:
        raise click.UsageError("give -o, --groups, or both")
    unit = Level(level)
    with _session("dedupe", master=master, conf=conf) as spark:
        from unspin.spark import dedupe, without

        with _prepared(spark, outputs, force=force, checkpoints=checkpoint_dir):
            texts = _read(spark, paths, style)
            found = dedupe(
                texts,
                text_field,
                id_field,
                level=unit,
                keep=Keep(keep),
                date_col=date_field,
                lexicon=Lexicon.load(*lexicons) if lexicons else default_lexicon(),
                min_words=MIN_WORDS[unit] if min_words is None else min_words,
            )
            if groups:
                _write(found, groups, style, force=force)
            if output:
                _write(without(texts, found, text_field, id_field), output, style, force=force)
            kinds: dict[str, int] = {row[0]: row[1] for row in found.groupBy("kind").count().collect()}
    if not quiet:
        told = ", ".join(f"{kinds[kind]:,} {kind}" for kind in map(str, DuplicateKind) if kind in kinds)
        say(f"copies of {counted(kinds.get('kept', 0), level)}: {told}" if told else f"no {level} is a copy of another")
