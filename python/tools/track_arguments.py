"""What the scripts that measure `slipway samurai` on a data set are told alike."""

import argparse
import pathlib


def parse(parser: argparse.ArgumentParser, arguments: list[str] | None) -> argparse.Namespace:
    """Behind the script's own arguments, which the parser has."""
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--model", type=pathlib.Path, help="model folder; not needed with --score-only")
    parser.add_argument("--results", type=pathlib.Path, required=True)
    parser.add_argument("--slipway", type=pathlib.Path, default=pathlib.Path("build/release/slipway"))
    parser.add_argument("--score-only", action="store_true", help="measure what lies in --results")
    parser.add_argument("options", nargs="*", help="after --: further options of slipway samurai, e.g. -- --provider cuda")
    options = parser.parse_args(arguments)
    if options.model is None and not options.score_only:
        parser.error("--model is needed, or --score-only")
    return options
