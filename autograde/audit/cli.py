"""`counterside audit …`: the commands of those who prove and check what stands in the gradebook."""

from __future__ import annotations

import argparse
from typing import Any


def add_commands(commands: Any) -> None:
    """Add `audit` and its own commands to the command line. Each command's function is its default `run`."""
    help = "Watch, seal and check the gradebook."
    audit = commands.add_parser("audit", help=help, description=help)
    audit.set_defaults(run=lambda _options: audit.print_help())
    steps = audit.add_subparsers(metavar="STEP")

    def add(name: str, run: object, help: str) -> argparse.ArgumentParser:
        step: argparse.ArgumentParser = steps.add_parser(name, help=help, description=help)
        step.set_defaults(run=run)
        return step

    add("install", run_install, "Put the trail in place, or mend it, and take a snapshot of what is there.")


def run_install(_options: argparse.Namespace) -> None:
    from autograde.audit.trail import install_and_report

    install_and_report()
