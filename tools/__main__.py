"""The course's tools: `python -m tools COMMAND`.

Each command is a function below, whose first line is what `--help` says. What a command needs is
imported in it, so that asking for help costs nothing.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path


class Problem(Exception):
    """A command cannot do what it was asked for; the message says why in a sentence."""


def learn(chosen: argparse.Namespace) -> Iterator[str]:
    """Open JupyterLab on your own copy of the lessons, made in my/ at the first start."""
    from tools import learn

    try:
        yield from learn.prepare(chosen.refresh)
    except learn.CannotCopy as problem:
        raise Problem(problem) from None
    if not chosen.no_lab:
        learn.open_lab(chosen.more)


def stamp(chosen: argparse.Namespace) -> Iterator[str]:
    """Write badges and bootstrap cell into every lesson."""
    from tools import template

    for notebook in _lessons(chosen):
        yield f"{notebook.name} {'stamped' if template.stamp(notebook) else 'unchanged'}"


def refresh(chosen: argparse.Namespace) -> Iterator[str]:
    """Execute the lessons that are stale, and store their outputs."""
    from tools import execution, freshness

    for notebook in _lessons(chosen):
        if chosen.all or not freshness.is_fresh(notebook):
            yield execution.refresh(notebook)
        else:
            yield f"{notebook.name} is fresh"


def tidy(chosen: argparse.Namespace) -> Iterator[str]:
    """Redo the ids and format of lessons whose text was edited, without running them."""
    from tools import normalise

    for notebook in _lessons(chosen):
        yield f"{notebook.name} {'tidied' if normalise.tidy(notebook) else 'unchanged'}"


def status(chosen: argparse.Namespace) -> Iterator[str]:
    """Say of each lesson whether its outputs are fresh, or because of what they are not."""
    from tools import freshness

    notebooks = _lessons(chosen)
    width = max((len(notebook.stem) for notebook in notebooks), default=0)
    for notebook in notebooks:
        why = freshness.why_stale(notebook)
        silent = [f"code cell {n} for {s:.0f} s" for n, s in freshness.silent(notebook).items()]
        said = ["stale: " + "; ".join(why) if why else "fresh"]
        said += ["silent: " + ", ".join(silent)] if silent else []
        yield f"{notebook.stem:{width}}  {'; '.join(said)}"


def spread(chosen: argparse.Namespace) -> Iterator[str]:
    """Repeat lessons with other seeds, and record what became of their claims."""
    from tools.spread import spread

    yield from spread(_lessons(chosen), chosen.runs)


def twice(chosen: argparse.Namespace) -> Iterator[str]:
    """Run every cell twice in a row, or lessons after others, killed, or two at once."""
    from nbclient.exceptions import CellTimeoutError, DeadKernelError

    from tools import lessons
    from tools import twice as again

    def runs() -> Iterator[str]:
        every, notebooks = lessons.lessons(), _lessons(chosen)
        if chosen.at_once:
            if len(notebooks) != 2:
                raise Problem("--at-once takes two lessons")
            yield from again.together(*notebooks)
            return
        for notebook in notebooks:
            try:
                if chosen.killed:
                    yield from again.killed(notebook)
                elif chosen.after:
                    yield from again.after(notebook, every[every.index(notebook) - 1])
                else:
                    yield from again.each_cell_twice(notebook)
            except (CellTimeoutError, DeadKernelError) as problem:  # the other lessons still run
                yield f"{notebook.name}: WRONG, not run to its end: {str(problem).splitlines()[0]}"

    wrong = 0
    for line in runs():
        wrong += "WRONG, " in line
        yield line
    if wrong:
        raise Problem(f"{wrong} thing{'s' * (wrong > 1)} to mend")


def mutate(chosen: argparse.Namespace) -> Iterator[str]:
    """Change each exercise's solution in small ways; list changes that its check lets pass."""
    from tools.mutate import mutate

    passing = 0
    for line in mutate(_lessons(chosen), chosen.open):
        passing += " PASSES" in line
        yield line
    if passing:
        raise Problem(f"{passing} mutant{'s' * (passing > 1)} to look at")


def ladder(chosen: argparse.Namespace) -> Iterator[str]:
    """Draw the recorded ladder again, as README shows it."""
    from tools.spread import draw_ladder

    yield str(draw_ladder())


def html(chosen: argparse.Namespace) -> Iterator[str]:
    """Convert lessons to HTML pages to look at."""
    from helpers.files import whole
    from tools.publish import rendering

    for notebook in _lessons(chosen):
        target = chosen.folder / f"{notebook.stem}.html"
        with whole(target) as draft:
            draft.write_text(rendering.lab_page(notebook), encoding="utf-8")
        yield str(target)


def pages(chosen: argparse.Namespace) -> Iterator[str]:
    """Build the whole course as a static site with search."""
    from tools.publish import pages

    yield from pages.build(chosen.folder)


def slides(chosen: argparse.Namespace) -> Iterator[str]:
    """Build slides with speaker notes; S opens the notes."""
    from tools.publish import deck

    chosen.folder.mkdir(parents=True, exist_ok=True)
    for notebook in _lessons(chosen):
        yield deck.build(notebook, chosen.folder)


def fork(chosen: argparse.Namespace) -> Iterator[str]:
    """Point every link to a fork: an address, or git's remote `origin`."""
    from tools import template
    from tools.publish.address import AddressProblem

    try:
        yield from template.fork(chosen.address, chosen.branch)
    except AddressProblem as problem:
        raise Problem(problem) from None


def guide(chosen: argparse.Namespace) -> Iterator[str]:
    """Write into the instructors' guide what the lessons and their exercises say."""
    from tools import guide

    try:
        yield from guide.write(chosen.lesson)
    except ValueError as problem:
        raise Problem(problem) from None


def glossary(chosen: argparse.Namespace) -> Iterator[str]:
    """Check that lessons link a word's first use to the glossary; change nothing."""
    from tools import glossary

    found = list(glossary.check(_lessons(chosen)))
    yield from found
    if found:
        raise Problem(f"{len(found)} link{'s' * (len(found) > 1)} to mend")


def copy(chosen: argparse.Namespace) -> Iterator[str]:
    """Make a copy of the course for a class, without solutions."""
    from tools.classroom import copy

    yield from copy.run(chosen.folder, chosen.repository)


def gather(chosen: argparse.Namespace) -> Iterator[str]:
    """Say what a folder of learners' notebooks got wrong, exercise by exercise."""
    from tools.classroom import gather

    given = {"seconds": chosen.seconds, "jobs": chosen.jobs}
    yield from gather.run(chosen.folder, **{k: v for k, v in given.items() if v is not None})


def benchmarks(chosen: argparse.Namespace) -> Iterator[str]:
    """Time something on this machine, by name: unit, cached-cut."""
    from tools import benchmarks

    try:
        yield from benchmarks.run(chosen.name)
    except KeyError as problem:
        raise Problem(problem.args[0]) from None


def record(chosen: argparse.Namespace) -> Iterator[str]:
    """Make a recording that lessons quote, or go on with it: fine-tuning."""
    from tools.record import record

    try:
        yield from record(chosen.name, chosen.only)
    except KeyError as problem:
        raise Problem(problem.args[0]) from None


def _lessons(chosen: argparse.Namespace) -> list[Path]:
    """Return the lessons that were asked for."""
    from tools import lessons

    try:
        return lessons.lessons(chosen.lesson)
    except ValueError as problem:
        raise Problem(problem) from None


COMMANDS = (
    *(learn, stamp, refresh, tidy, status, spread, twice, mutate, ladder),
    *(html, pages, slides, fork, guide, glossary, copy, gather, benchmarks, record),
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    whole = argparse.ArgumentParser(prog="python -m tools", description="The course's tools.")
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")

    def add(command: Callable) -> argparse.ArgumentParser:
        says = command.__doc__.splitlines()[0]
        its = commands.add_parser(command.__name__, help=says, description=says)
        its.set_defaults(run=command)
        return its

    for command in COMMANDS:
        its = add(command)
        if command is learn:
            its.description += " Options that are not listed here go to JupyterLab."
            its.add_argument("--refresh", action="store_true", help="bring newer lessons there")
            its.add_argument("--no-lab", action="store_true", help="do not open JupyterLab")
        if command in (html, pages, slides, copy, gather):
            its.add_argument("folder", type=Path, metavar="FOLDER")
        if command is refresh:
            its.add_argument("--all", action="store_true", help="also those that are fresh")
        if command is spread:
            its.add_argument("--runs", type=_whole_number, default=5, help="seeds; 5 if left out")
        if command is mutate:
            its.add_argument("--open", action="store_true", help="also where a score is judged")
        if command is twice:
            how = its.add_mutually_exclusive_group()
            how.add_argument(
                "--after", action="store_true", help="after the lesson before it, in one kernel"
            )
            how.add_argument(
                "--killed", action="store_true", help="killed in the longest cell, then run again"
            )
            how.add_argument("--at-once", action="store_true", help="two, with one personal folder")
        if command is fork:
            its.add_argument("address", nargs="?", help="git's remote `origin` if left out")
            its.add_argument("--branch", help="the present one if left out")
        if command is copy:
            its.add_argument("--repository", default="", help="where the copy will be published")
        if command is gather:
            its.add_argument("--seconds", type=float, help="limit for each answer")
            its.add_argument("--jobs", type=_whole_number, help="kernels at a time")
        if command in (benchmarks, record):
            its.add_argument("name", metavar="NAME")
        if command is record:
            its.add_argument("--only", default="", help="one of its problems, e.g. stamps")
        if command not in (learn, ladder, pages, fork, copy, gather, benchmarks, record):
            its.add_argument("lesson", nargs="*", metavar="NN", help="lessons; all if left out")
    return whole


def _whole_number(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def main(arguments: list[str] | None = None) -> None:
    """Run one command; print its lines as they come.

    Args:
        arguments: As on the command line, which is read if they are left out.

    Raises:
        SystemExit: The command cannot do it; the message says why in a sentence.
    """
    chosen, chosen.more = (known := parser()).parse_known_args(arguments)
    if chosen.more and chosen.run is not learn:
        known.error(f"unrecognized arguments: {' '.join(chosen.more)}")

    from tools.template import Stale

    try:
        for line in chosen.run(chosen):
            print(line, flush=True)
    except (Problem, Stale) as problem:
        sys.exit(f"{chosen.command}: {problem}")
    except KeyboardInterrupt:
        sys.exit(f"{chosen.command}: stopped")


if __name__ == "__main__":
    main()
