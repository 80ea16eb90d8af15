"""What the pages show runs: every command and every Python block of README, CONTRIBUTING, docs and the rest.

Commands run one after the other in a folder with the files that they speak of; the network's part is played by a server
on this machine, the reviewer's by one who leaves. What cannot run here stands in EXEMPT, with the reason, and its
options are checked all the same.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from unspin.cli import main, unspin

from .blocks import PAGES, PROGRAMS, ROOT, Block, Command, blocks, command, commands
from .sandbox import SPUN, build_index, prepare, stand_in

SERVER = ROOT / "tests" / "cli" / "chat_server.py"
ENDPOINT = "http://localhost:8080"  # where the pages assume a server
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]

# What is not run, by how it begins, and why not. Every line must be needed.
EXEMPT = {
    "unspin train --ranker neural": "trains for hours; tests/unit/test_neural_train.py does it for a minute",
    "spark-submit": "takes a cluster; tests/spark submits to one",
    "unspin spark": "takes Java; tests/spark runs it, and the Python of its page",
    "make": "sets up an environment; continuous integration runs seed, test, check, docs and dist",
    "pip install": "takes packages from an index; continuous integration installs every extra",
    "python benchmarks/": "takes data that is not in a checkout, or minutes",
    "apt-get install": "changes the machine",
    "ssh": "takes another machine",
    "export": "sets what the next line needs",
    ".ci/run": "continuous integration itself",
}
LANGUAGES = {"", "console", "python", "text", "yaml", "toml", "json", "tsv"}
GENERATED = ROOT / "docs" / "commands.md"  # from --help, whose examples are tested below
FOUND_WORK = {("clean", "--check"), ("apply", "--check")}  # exit code 1: there is work


def _is_exempt(command: Command) -> str | None:
    return next((start for start in EXEMPT if command.typed.replace("'", "").startswith(start)), None)


def _resolve(words: list[str]) -> click.Context:
    """The context of the command that these words name, its options and arguments checked."""
    context = click.Context(unspin, info_name="unspin")
    found: click.Command = unspin
    while isinstance(found, click.Group):
        if not words or words[0] not in found.list_commands(context):
            return found.make_context(found.name, words, parent=context)
        name, *words = words
        following = found.get_command(context, name)
        assert following
        found, context = following, click.Context(following, info_name=name, parent=context)
    return found.make_context(found.name, words, parent=context.parent)


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    log = tmp_path_factory.mktemp("server") / "log"
    with subprocess.Popen([sys.executable, SERVER, log], stdout=subprocess.PIPE) as process:
        assert process.stdout
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.terminate()


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    prepare(folder)
    return folder


@pytest.fixture
def sandbox(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of its own, which is home as well, with everything that pages take for granted."""
    shutil.copytree(prepared, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    for name, value in {"HOME": str(tmp_path), "XDG_CACHE_HOME": "cache", "UNSPIN_API_KEY": "sesame-0123"}.items():
        monkeypatch.setenv(name, value)
    return tmp_path


# commands


def _run(words: list[str], monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]) -> bytes:
    """Run `unspin` as from a shell, and return standard output. The exit code must be what the words promise."""
    for option in ("-o", "--output"):  # each command is meant for a folder where it was not yet given
        if option in words and words[0] != "evaluate" and (there := Path(words[words.index(option) + 1])).exists():
            there.rename(there.with_name(f"{there.name}.before.{len(list(there.parent.iterdir()))}"))
    monkeypatch.setattr(sys, "argv", ["unspin", *words])
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(SPUN.encode())))
    with pytest.raises(SystemExit) as ended:
        main()
    stdout, stderr = capsysbinary.readouterr()
    expected = int(any((words[0], word) in FOUND_WORK for word in words))
    assert ended.value.code == expected, stderr.decode()
    return stdout


def _follow(
    found: Command, endpoint: str, monkeypatch: pytest.MonkeyPatch, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    words = [word.replace(ENDPOINT, endpoint) for word in found.words[1:]]
    if "index" in words[:1] and "build" not in words and not Path("seen").exists():
        build_index(Path())
    stdout = _run(words, monkeypatch, capsysbinary)
    if found.target:
        Path(found.target).write_bytes(stdout)
        assert stdout, f"{found.typed} writes nothing to {found.target}"


COMMANDS = {
    str(page.relative_to(ROOT)): [found for block in blocks(page) for found in commands(block)]
    for page in PAGES
    if page != GENERATED
}


@pytest.mark.parametrize("page", [page for page, found in COMMANDS.items() if found])
def test_the_commands_run(
    page: str,
    endpoint: str,
    sandbox: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsysbinary: pytest.CaptureFixture[bytes],
) -> None:
    stand_in(monkeypatch)
    for found in COMMANDS[page]:
        if not _is_exempt(found):
            assert found.words[0] == "unspin", f"{page}: {found.typed} neither runs here nor is exempt"
            _follow(found, endpoint, monkeypatch, capsysbinary)


def test_what_is_exempt_is_needed_and_has_its_options() -> None:
    seen = dict.fromkeys(EXEMPT, 0)
    for found in (found for page in COMMANDS.values() for found in page):
        if start := _is_exempt(found):
            seen[start] += 1
            _check_unrun(found)
    assert all(seen.values()), seen


def _check_unrun(found: Command) -> None:
    """What can be said of a command without running it: its options, targets and extras exist."""
    match found.words:
        case ("unspin", *words):
            _resolve(words)
        case ("make", *targets):
            makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
            for target in (word for word in targets if "=" not in word):
                assert re.search(rf"^{target}:", makefile, re.MULTILINE), found.typed
        case ("python", script, *words):
            source = (ROOT / script).read_text(encoding="utf-8")
            for option in (word for word in words if word.startswith("--")):
                assert f'"{option}"' in source, found.typed
        case ("pip", "install", *wanted):
            for extra in re.findall(r"unspin\[([\w,-]+)\]", " ".join(wanted)):
                assert set(extra.split(",")) <= set(PROJECT["optional-dependencies"]), found.typed


def test_pipes_lead_to_what_takes_a_patch_only() -> None:
    """What follows a pipe is not run: it must be something that nobody doubts."""
    piped = {found.piped_to for page in COMMANDS.values() for found in page if found.piped_to}
    assert piped <= {"git apply"}


# Python, and samples


ON_A_CLUSTER = ROOT / "docs" / "spark.md"  # whose Python tests/spark runs
PYTHON = [block for page in PAGES if page != ON_A_CLUSTER for block in blocks(page) if block.language == "python"]


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.place)
def test_the_python_runs(block: Block, endpoint: str, sandbox: Path) -> None:
    """`text` is a spun text that somebody has, in the file article.txt, too."""
    (sandbox / "unspin.db").unlink()
    code = compile(block.content.replace(ENDPOINT, endpoint), block.place, "exec")
    exec(code, {"text": SPUN, "__name__": "__main__"})


def _problem(block: Block) -> str | None:
    if block.language not in LANGUAGES:
        return f"has a language that no test knows: {block.language}"
    if block.language in ("text", "tsv", "json") and commands(block) and block.page != GENERATED:
        return "holds commands; its language is console"
    if not block.language and re.search(r"^\s*(import|from) \w+|\bunspin\.\w+\(", block.content, re.MULTILINE):
        return "looks like Python; its language is python"
    return None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_block_is_of_a_kind_that_is_tested(page: Path) -> None:
    problems = [f"{block.place} {problem}" for block in blocks(page) if (problem := _problem(block))]
    assert not problems, problems
    for block in blocks(page):
        if block.language == "json":
            json.loads(block.content)
        elif block.language == "toml":
            tomllib.loads(block.content)
        elif block.language == "console":
            assert commands(block), f"{block.place}: commands begin with a dollar sign"


def test_a_spoilt_page_is_noticed(tmp_path: Path) -> None:
    page = ROOT / "docs" / "spoilt.md"  # never written: only its place is needed
    sample = Block(page, 1, "text", "unspin clean a.txt\n")
    assert _problem(sample) == "holds commands; its language is console"
    assert _problem(Block(page, 1, "", "unspin.restore(text)\n"))
    assert _problem(Block(page, 1, "shell", "unspin clean a.txt\n"))
    with pytest.raises(click.NoSuchOption):
        _check_unrun(command("unspin train --ranker neural --nonsense -o a.onnx a.txt"))
    with pytest.raises(AssertionError):
        _check_unrun(command("make nonsense"))


# words in the text


INLINE = [
    (f"{page.relative_to(ROOT)}: {code}", code)
    for page in PAGES
    for code in re.findall(r"(?<!`)`unspin (\w[^`]*)`", re.sub(r"\s*\n\s*", " ", page.read_text(encoding="utf-8")))
]


@pytest.mark.parametrize(("place", "code"), INLINE)
def test_commands_named_in_the_text_exist(place: str, code: str) -> None:
    """By their names and long options; arguments are often left out, or stand for others."""
    words = [word for word in code.split() if word]
    found: click.Command = unspin
    context = click.Context(unspin)
    while isinstance(found, click.Group) and words and words[0] in found.list_commands(context):
        following = found.get_command(context, words.pop(0))
        assert following
        found = following
    assert found is not unspin, place
    if isinstance(found, click.Group) and "start" in found.commands:
        found = found.commands["start"]
    known = {name for parameter in found.params for name in (*parameter.opts, *parameter.secondary_opts)}
    assert {word for word in words if word.startswith("--")} <= known, place


# help


def _walk(found: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    yield path, found
    if isinstance(found, click.Group):
        for name in found.list_commands(click.Context(found)):
            following = found.get_command(click.Context(found), name)
            assert following
            yield from _walk(following, f"{path} {name}")


HELPED = list(_walk(unspin, "unspin"))


@pytest.mark.parametrize(("path", "found"), HELPED, ids=[path for path, _ in HELPED])
def test_the_help_has_examples_that_can_be_typed(
    path: str, found: click.Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each example is parsed as it would be, up to the point where the command starts to work."""
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    told = found.help or ""
    if path == "unspin review":  # which shows the help of `start`
        told = dict(HELPED)["unspin review start"].help or ""
    examples = [
        line.strip() for line in told.partition("Examples:")[2].partition("\n\n")[0].splitlines() if line.strip()
    ]
    assert examples, "a command without examples"
    for line in examples:
        for part in (command(piece.strip()) for piece in re.split(r"\|(?= *unspin)", line)):
            if part.words[0] == "unspin":
                _parsed(list(part.words[1:]))
            else:
                assert part.words[0] in {*PROGRAMS, "curl", "zcat", "cat", "find", "git", "spark-submit"}, line


def _parsed(words: list[str]) -> None:
    try:
        _resolve(words)
    except click.exceptions.Exit as ended:  # --help, --schema
        assert ended.exit_code == 0
