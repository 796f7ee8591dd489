"""Help is a sentence and an example; README says what the commands say."""

import re
import shlex
from pathlib import Path

import click
import pytest

from streamctl.cli import event_tables, reference
from streamctl.cli.command import Verb
from streamctl.cli.main import COMMANDS, cli
from streamctl.ops import schemas

COMMANDS_BY_NAME = dict(reference.commands())
NOUNS = {noun: cli.get_command(click.Context(cli), noun) for noun in COMMANDS}
README = Path(__file__).parents[1] / "README.md"
EVENTS = README.parent / "docs" / "events.md"

every_command = pytest.mark.parametrize(
    ("name", "command"), COMMANDS_BY_NAME.items(), ids=list(COMMANDS_BY_NAME)
)


def test_the_commands_are_these():
    """What is promised; a new one is added here on purpose."""
    assert set(COMMANDS_BY_NAME) == {
        f"streamctl {line}"
        for line in (
            "demo",
            *(f"stack {verb}" for verb in ("deploy", "status", "destroy")),
            *(
                f"camera {verb}"
                for verb in ("create", "list", "describe", "delete", "probe", "push")
            ),
            *(f"collection {verb}" for verb in ("create", "list", "describe", "delete")),
            *(
                f"face {verb}"
                for verb in ("enrol", "list", "search", "remove", "forget", "forgotten")
            ),
            *(
                f"processor {verb}"
                for verb in (
                    *("create", "start", "stop", "delete"),
                    *("list", "describe", "history", "wait"),
                )
            ),
            *(f"watch {verb}" for verb in ("show", "apply", "ask")),
            "sweep",
            *(f"record {verb}" for verb in ("tail", "decode", "save", "replay")),
            *(f"event {verb}" for verb in ("tail", "list", "report", "picture", "clip", "schema")),
            *(f"local {verb}" for verb in ("start", "stop", "status", "env")),
        )
    }


@every_command
def test_a_commands_help_is_a_sentence(name, command):
    """It begins with what the command does, and ends like a sentence."""
    sentence = reference.sentence(command)
    assert re.fullmatch(r"[A-Z][a-z]+ .*\.", sentence), sentence
    assert len(sentence) <= 100


@every_command
def test_every_option_and_choice_is_explained(name, command):
    """No option goes without a word."""
    unexplained = [
        option.name
        for option in command.params
        if isinstance(option, click.Option) and not option.help
    ]
    assert not unexplained


@every_command
def test_a_command_has_examples_that_it_understands(name, command):
    """Each is a whole line that begins with the command and that its own parser takes."""
    assert isinstance(command, Verb)
    assert command.examples
    for example in command.examples:
        line = example.partition("$(")[2].partition(")")[0] or example
        line = re.split(r" [|<] ", line)[0]
        arguments = _without_root_options(shlex.split(line))
        assert " ".join(arguments).startswith(name), example
        rest = arguments[len(name.split()) :]
        context = click.Context(command, info_name=name)
        command.make_parser(context).parse_args(rest)


@every_command
def test_help_fits_a_terminal_and_shows_its_examples(name, command):
    """80 columns, examples and all."""
    text = command.get_help(click.Context(command, info_name=name, terminal_width=80))
    assert "Example" in text
    assert max(map(len, text.splitlines())) <= 80


@every_command
def test_the_glossary_is_kept(name, command):
    """The word stream alone means two things, so it is always a video stream or a data stream."""
    text = f"{command.help} {' '.join(str(getattr(p, 'help', '')) for p in command.params)}"
    assert not re.findall(r"(?<!video )(?<!data )\bstreams?\b", text, re.IGNORECASE)


@pytest.mark.parametrize("noun", COMMANDS)
def test_the_roots_line_for_a_noun_is_the_nouns_own(noun):
    """The root does not import its nouns to describe them, so it must not drift from them."""
    command = NOUNS[noun]
    assert command is not None
    sentence = reference.sentence(command)
    assert sentence.startswith(COMMANDS[noun].removesuffix("."))


def test_readmes_steps_can_be_followed_in_their_order():
    """Who listens does so before the video, and who looks back before all of it is gone."""
    text = README.read_text(encoding="utf-8")
    steps = text.partition("## On your machine, step by step")[2].partition("\n## ")[0]
    found = re.findall(r"(?m)^streamctl ([a-z]+ [a-z]+)", steps)
    order = ["local start", "stack deploy", "event tail", "camera push", "processor wait"]
    order += ["event report", "camera delete", "stack destroy", "local stop"]
    assert [each for each in found if each in order] == order


def test_readme_has_the_commands():
    """`python -m streamctl.cli.reference README.md` writes them."""
    text = README.read_text(encoding="utf-8")
    assert reference.written_into(text) == text


def test_the_page_of_events_has_the_tables_of_the_schemas():
    """`python -m streamctl.cli.event_tables docs/events.md` writes them."""
    text = EVENTS.read_text(encoding="utf-8")
    assert event_tables.written_into(text) == text


def test_every_member_of_every_event_stands_on_its_page():
    """In some table: none is left out where tables are put together."""
    rows = set(re.findall(r"^\| `([^`]+)` \|", EVENTS.read_text(encoding="utf-8"), re.MULTILINE))
    for name in schemas.NAMES:
        schema = schemas.load(name)
        objects = [schema, *schema["$defs"].values()]
        members = {each for found in objects for each in found.get("properties", {})}
        assert members <= rows


def test_the_table_is_put_between_its_markers_and_nowhere_else():
    """What stands around it stays; twice is once."""
    text = f"before\n{reference.BEGIN}\nold\n{reference.END}\nafter\n"
    written = reference.written_into(text)
    assert written.startswith(f"before\n{reference.BEGIN}\n| command |")
    assert written.endswith(f"|\n{reference.END}\nafter\n")
    assert "\nold\n" not in written
    assert reference.written_into(written) == written


@pytest.mark.parametrize("made", [reference, event_tables])
def test_a_document_without_markers_is_refused(made):
    """Rather than appended to."""
    with pytest.raises(ValueError, match="no lines"):
        made.written_into("nothing here")


def test_each_table_of_events_is_put_between_its_own_markers():
    """And what a member is said in few words."""
    text = (
        "a\n<!-- table: box -->\nold\n<!-- /table -->\nb\n<!-- table: look -->\n<!-- /table -->\nc"
    )
    written = event_tables.written_into(text)
    assert re.findall(r"^(?:[a-c]|<.*>|\| `\w+` \| \w+ \|)", written, re.MULTILINE) == [
        "a",
        "<!-- table: box -->",
        *(f"| `{side}` | number |" for side in ("left", "top", "width", "height")),
        "<!-- /table -->",
        "b",
        "<!-- table: look -->",
        "| `similarity` | number |",
        "| `box` | box |",
        "<!-- /table -->",
        "c",
    ]
    assert event_tables.written_into(written) == written


@pytest.mark.parametrize("name", ["moon", "time"])
def test_a_table_that_there_is_not_is_refused(name):
    with pytest.raises(ValueError, match=f"no table {name}"):
        event_tables.written_into(f"<!-- table: {name} -->\n<!-- /table -->")


def _without_root_options(arguments):
    """`streamctl --platform night stack deploy` is `streamctl stack deploy`."""
    while len(arguments) > 1 and arguments[1].startswith("--"):
        arguments = [arguments[0], *arguments[3:]]
    return arguments
