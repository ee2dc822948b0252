#!/usr/bin/env python3
"""Lists the tests that were skipped, by reason: `tools/skipped_tests.py FOLDER`.

FOLDER holds the XML reports that GoogleTest and pytest wrote (both in JUnit's form). Every test is named; one of many parameters
once, with the number of those that were skipped.
"""

from __future__ import annotations

import re
import sys
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict
from pathlib import Path

PARAMETERS = re.compile(r"\[.*\]$|/\w+$", re.DOTALL)
# GoogleTest puts the place before the reason.
PLACE = re.compile(r"^\S+\.(cpp|hpp):\d+\s+")


def main() -> int:
    reports = sorted(Path(sys.argv[1]).glob("*.xml"))
    if not reports:
        print(f"no reports of tests in {sys.argv[1]}: run `make unit` and `make conformance`", file=sys.stderr)
        return 1
    count = 0
    by_reason: dict[str, list[str]] = defaultdict(list)
    for report in reports:
        for case in ET.parse(report).getroot().iter("testcase"):
            count += 1
            skip = case.find("skipped")
            if skip is not None:
                reason = " ".join(PLACE.sub("", skip.get("message") or "no reason given").split())
                by_reason[reason].append(f"{case.get('classname')}.{case.get('name')}")
    print(f"{sum(map(len, by_reason.values()))} of {count} tests skipped")
    for reason, names in sorted(by_reason.items(), key=lambda entry: -len(entry[1])):
        print(f"  {len(names):3}  {reason}")
        for name, times in sorted(Counter(PARAMETERS.sub("", name) for name in names).items()):
            print(f"         {name}{f' ({times})' if times > 1 else ''}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
