"""Writes the committed test data anew: `make golden`. One line a generator; each knows its own folder below tests/golden."""

from python.reference import tensor_golden, tiny_models

GENERATORS = [
    ("arrays for src/tensor", tensor_golden.main),
    ("tiny models for src/runtime", tiny_models.main),
]


def main() -> None:
    for name, write in GENERATORS:
        print(name)
        write()


if __name__ == "__main__":
    main()
