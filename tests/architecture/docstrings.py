"""numpydoc validation of the public API: `python -m tests.architecture.docstrings` prints each breach."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Iterator

from numpydoc.validate import validate

import citylib

# What numpydoc's checks ask and we don't: extended summaries, See Also, examples everywhere,
# a period after each description, types repeated from annotations, the signature's order where
# parameters are grouped by what they mean. What is told elsewhere is named: "As in `f`", "; see `f`".
SKIPPED = {
    "ES01", "EX01", "SA01", "SA04", "GL01", "GL02", "GL03", "GL08", "PR08", "PR09", "RT02", "RT03", "RT04", "RT05",
    "SS05", "SS06",    "YD01", "PR01", "PR03", "PR06", "RT01", "SS03",
}  # fmt: skip
# Asked of every public function that takes more than one argument, or returns something that needs words.
NEEDS_SECTIONS = {"PR01"}


def public_names() -> Iterator[tuple[str, object]]:
    """Yield (dotted name, object) for everything in an `__all__` of citylib that is defined there."""
    for module_info in pkgutil.walk_packages(citylib.__path__, "citylib."):
        module = importlib.import_module(module_info.name)
        for name in getattr(module, "__all__", ()):
            item = getattr(module, name)
            here = getattr(item, "__module__", None) == module.__name__
            if here and (inspect.isfunction(item) or inspect.isclass(item)):
                yield f"{module.__name__}.{name}", item


def breaches_of(name: str, item: object) -> list[str]:
    """Return the breaches of one docstring; long signatures must describe their parameters."""
    found = validate(name)["errors"]
    text = inspect.getdoc(item) or ""
    asked = set()
    if inspect.isfunction(item) and len(inspect.signature(item).parameters) > 2 and not re.search(r"; see `\w+`", text):
        asked = NEEDS_SECTIONS
    skipped = SKIPPED - asked
    if re.search(r"^ +As in `\w+`", text, flags=re.M):
        skipped = skipped | {"PR04"}
    return [f"{name}: {code} {what}" for code, what in found if code not in skipped]


def main() -> int:
    """Validate everything public."""
    names = list(public_names())
    breaches = [line for name, item in names for line in breaches_of(name, item)]
    print("\n".join(breaches) or f"{len(names)} public names, no breach")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
