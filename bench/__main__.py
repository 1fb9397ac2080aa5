"""`python -m bench [NAME...]`: run the benches and print their table; exit 1 when a target is missed."""

import importlib
import sys

from bench.measure import Figure, table

NAMES = ("hot_path", "ami", "pop", "timeline", "search", "memory", "restart", "recordings", "messages")


def main(wanted: list[str]) -> int:
    """Run the benches so named, all without names."""
    if unknown := [name for name in wanted if name not in NAMES]:
        print(f"no bench is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
        return 2
    figures: list[Figure] = []
    for name in wanted or NAMES:
        print(f"# {name} ...", file=sys.stderr, flush=True)
        figures += importlib.import_module(f"bench.{name}").run()
    print(table(figures))
    return 1 if any(figure.met is False for figure in figures) else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
