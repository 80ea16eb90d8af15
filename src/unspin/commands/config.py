"""Options from a file: `[tool.unspin]` in pyproject.toml, or unspin.toml, the nearest one upward from here.

Keys are the long names of options. At the top they hold for every configured command that has the option, in a table of
a command's name for that command alone. What is typed wins over the file. Paths are taken from where the file is, if
something is there. Refused, by `ConfigError`: a file that is no TOML, and keys that no command knows, each with the
file and the key; a command that meets it says so, as it does of wrong values, and ends with exit code 2.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from unspin.commands.terminal import product
from unspin.errors import ConfigError

FILES = ("unspin.toml", "pyproject.toml")  # the first of them that has settings counts
TABLE = ("tool", "unspin")  # in pyproject.toml
COMMANDS = ("clean", "batch", "dedupe", "inspect")
_NEVER = ("help", "schema", "show-config", "write", "force")  # asked for once, not for good
_VALUES = (bool, int, float, str, Path, tuple, list)  # anything else is click's way to say that nothing is set
_PLACED = ("lexicon", "model", "ranker")  # paths, unless they are names


@dataclass(frozen=True, slots=True)
class Config:
    """The settings of a file; without one, `path` is None and nothing is set."""

    path: Path | None
    settings: Mapping[str, Any]

    def of(self, command: click.Command) -> dict[str, Any]:
        """What is set for a command, by the names of its options. Raises ConfigError."""
        known, everywhere = _keys(command), {key for name in COMMANDS for key in _keys(_command(name))}
        own = self.settings.get(str(command.name), {})
        shared = {key: value for key, value in self.settings.items() if key not in COMMANDS}
        for key in shared:
            if key not in everywhere:
                raise self._unknown(key, everywhere, "")
        for name in COMMANDS:
            table = self.settings.get(name, {})
            if not isinstance(table, dict):
                raise ConfigError(self.path or "", f"{name}: a table of its options belongs here")
            for key in table:
                if key not in _keys(_command(name)):
                    raise self._unknown(f"{name}.{key}", _keys(_command(name)), f" of `unspin {name}`")
        return {key: value for key, value in (shared | own).items() if key in known}

    def _unknown(self, key: str, known: Mapping[str, Any] | set[str], whose: str) -> ConfigError:
        return ConfigError(self.path or "", f"{key}: no option{whose}; there are: {', '.join(sorted(known))}")

    def placed(self, key: str, value: Any, option: click.Parameter) -> Any:
        """A value with paths as they are seen from here, and as click takes them."""
        if isinstance(value, list):
            return [self.placed(key, one, option) for one in value]
        if isinstance(value, str) and self.path and (key in _PLACED or isinstance(option.type, click.Path)):
            there = self.path.parent / value
            return str(there) if there.exists() or isinstance(option.type, click.Path) else value
        return value


def load(start: Path) -> Config:
    """The settings that hold in a folder. Raises ConfigError."""
    for folder in (start, *start.parents):
        for name in FILES:
            path = folder / name
            settings = _read(path) if path.is_file() else None
            if settings is not None:
                return Config(path, settings)
    return Config(None, {})


def _read(path: Path) -> Mapping[str, Any] | None:
    try:
        settings: Any = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(path, f"cannot be read: {error}") from error
    if path.name == FILES[0]:
        return dict(settings)
    for name in TABLE:
        settings = settings.get(name) if isinstance(settings, dict) else None
    if settings is not None and not isinstance(settings, dict):
        raise ConfigError(path, "tool.unspin: a table belongs here")
    return settings


def _command(name: str) -> click.Command:
    command = import_module(f"unspin.commands.{name}").command
    assert isinstance(command, click.Command)
    return command


def _keys(command: click.Command) -> dict[str, click.Option]:
    """A command's options by their long names; of two opposite ones, the positive."""
    found = {}
    for option in command.params:
        if isinstance(option, click.Option):
            key = next((name.removeprefix("--") for name in option.opts if name.startswith("--")), "")
            if key and key not in _NEVER:
                found[key] = option
    return found


class Configured(click.Command):
    """A command whose options may stand in a file."""

    def __init__(self, *arguments: Any, **attributes: Any) -> None:
        super().__init__(*arguments, **attributes)
        told = "Print the options as they hold here, and where each is from, and exit."
        self.params.append(click.Option(["--show-config"], is_flag=True, expose_value=False, help=told))

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        """Parse what is typed, above what is set in a file."""
        if not set(context.help_option_names).isdisjoint(args):
            return super().parse_args(context, args)  # help helps, whatever the file says
        try:
            config = load(Path.cwd())
            found = config.of(self)
        except ConfigError as error:
            raise click.UsageError(str(error), context) from error
        options = _keys(self)
        context.default_map = {
            str(options[key].name): config.placed(key, value, options[key]) for key, value in found.items()
        }
        try:
            if "--show-config" in args:
                product("".join(self._shown(context, config, args)))
                context.exit()
            return super().parse_args(context, args)
        except click.BadParameter as error:
            name = error.param.name if error.param else None
            if name and context.get_parameter_source(name) is ParameterSource.DEFAULT_MAP:
                key = next((key for key, option in options.items() if option.name == name), name)
                raise click.UsageError(f"{config.path}: {key}: {error.message}", context) from error
            raise

    def _shown(self, context: click.Context, config: Config, args: list[str]) -> Iterator[str]:
        """The options as TOML, each with where it is from."""
        given, _, _ = self.make_parser(context).parse_args(args=list(args))
        for key, option in sorted(_keys(self).items()):
            with suppress(click.MissingParameter):
                option.handle_parse_result(context, given, [])
            value = context.params.get(str(option.name))
            source = context.get_parameter_source(str(option.name))
            told = {
                ParameterSource.COMMANDLINE: "command line",
                ParameterSource.DEFAULT_MAP: str(config.path),
            }.get(source or ParameterSource.DEFAULT, "default")
            yield (
                f"# {key} is not set\n"
                if value == () or not isinstance(value, _VALUES)
                else f"{key} = {_toml(value)}  # {told}\n"
            )


def _toml(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, bool | int | float):
        return json.dumps(value)
    return json.dumps(str(value), ensure_ascii=False)
