"""How our commands behave alike: `-h`, shared options before or after the verb, nouns loaded late."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Mapping, Sequence
from typing import Any, Final

import click

from streamctl.cli.settings import FORMATS, Settings

_SHARED: Final = "Options of streamctl itself, like --platform and --region, may stand here too."
CONTEXT: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


def shared_options(*, root: bool) -> list[click.Option]:
    """Where to, as whom, on which platform, printed how. A verb's own word outranks the root's."""
    shared: dict[str, Any] = {"expose_value": root, "hidden": not root, "allow_from_autoenv": root}
    if not root:
        shared["callback"] = _override
    return [
        click.Option(["--profile"], help="AWS profile (boto3's AWS_PROFILE).", **shared),
        click.Option(["--region"], help="AWS region (AWS_REGION).", **shared),
        click.Option(
            ["--endpoint-url"],
            help="Another endpoint than AWS's, e.g. the local cloud (boto3's AWS_ENDPOINT_URL).",
            **shared,
        ),
        click.Option(
            ["--platform"],
            help="Which platform, where several stand side by side.  [default: main]",
            **shared,
        ),
        click.Option(
            ["-o", "--output"],
            type=click.Choice(FORMATS),
            help="How to print.  [default: table]",
            **{**shared, "hidden": False},
        ),
    ]


def _override(context: click.Context, option: click.Parameter, value: str | None) -> None:
    if value is not None and not context.resilient_parsing:
        settings = context.ensure_object(Settings)
        context.obj = dataclasses.replace(settings, **{str(option.name): value})


class _NoneEmpty(click.Command):
    """An empty value is an unset variable of the shell; taken as not given, it does another thing."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        given, _, _ = self.make_parser(ctx).parse_args(list(args))
        for param in self.get_params(ctx):
            value = given.get(str(param.name))
            values = value if isinstance(value, (list, tuple)) else [value]
            if isinstance(param, click.Option) and "" in values:
                raise click.BadParameter(
                    "it is empty: give a value, or leave the option out", ctx=ctx, param=param
                )
        return super().parse_args(ctx, args)


class Verb(_NoneEmpty):
    """A command that does something. It takes the shared options too.

    `examples` are whole command lines, shown below the options.
    """

    def __init__(self, *args: Any, examples: Sequence[str] = (), **kwargs: Any) -> None:
        kwargs["context_settings"] = dict(CONTEXT)
        super().__init__(*args, **kwargs)
        self.examples = examples
        self.params.extend(shared_options(root=False))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        formatter.write_paragraph()
        formatter.write_text(_SHARED)
        write_examples(self.examples, formatter)


class Noun(click.Group):
    """A group of verbs about one thing."""

    command_class = Verb

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, context_settings=dict(CONTEXT), **kwargs)


def write_examples(examples: Sequence[str], formatter: click.HelpFormatter) -> None:
    """Add command lines to a help text, as they are: none is wrapped."""
    with formatter.section("Examples" if len(examples) > 1 else "Example"):
        for example in examples:
            formatter.write(f"{'':{formatter.current_indent}}{example}\n")


class LateGroup(_NoneEmpty, click.Group):
    """The root: it knows its commands by name and one line, and imports only the one that is used.

    `late` maps a command's name to its line of help; `streamctl.cli.NAME` holds it as `NAME`.
    """

    def __init__(
        self, *args: Any, late: Mapping[str, str], examples: Sequence[str] = (), **kwargs: Any
    ) -> None:
        super().__init__(*args, context_settings=dict(CONTEXT), **kwargs)
        self.late = late
        self.examples = examples
        self.params.extend(shared_options(root=True))

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(self.late)

    def get_command(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        cmd_name: str,
    ) -> click.Command | None:
        if cmd_name not in self.late:
            return None
        module = importlib.import_module(f"streamctl.cli.{cmd_name}")
        command = getattr(module, cmd_name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        try:
            return super().resolve_command(ctx, args)
        except click.NoSuchCommand as error:
            raise click.NoSuchCommand(
                error.command_name, possibilities=list(self.late), ctx=ctx
            ) from error

    def format_commands(
        self,
        ctx: click.Context,  # noqa: ARG002 - click's signature
        formatter: click.HelpFormatter,
    ) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(self.late.items()))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        super().format_epilog(ctx, formatter)
        write_examples(self.examples, formatter)
