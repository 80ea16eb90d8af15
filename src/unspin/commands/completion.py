"""`unspin completion`: the name of a shell in; the script that makes it complete commands and options out."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from unspin.commands.terminal import product

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
def command(shell: str) -> None:
    """Print a script that completes commands, options and their values in a shell.

    Try it with the first example. To have it always, put that line into ~/.bashrc; for zsh, the second one into
    ~/.zshrc, below compinit. fish reads the file of the third.

    \b
    Examples:
      eval "$(unspin completion bash)"
      eval "$(unspin completion zsh)"
      unspin completion fish > ~/.config/fish/completions/unspin.fish
    """
    completion = get_completion_class(shell)
    assert completion, "click knows all of SHELLS"
    whole = click.get_current_context().find_root().command
    product(completion(whole, {}, "unspin", "_UNSPIN_COMPLETE").source())
