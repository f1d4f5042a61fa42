"""Rules of addresses whose builders are made late: werkzeug compiles two functions for each rule as the application starts,
and most processes build the addresses of a few."""

from collections.abc import Callable
from typing import Any, Final, Self

from werkzeug.routing import Rule

Built = tuple[str, str]
KEPT_AS: Final = {False: "_build", True: "_build_unknown"}


class LateRule(Rule):
    """For `Flask.url_rule_class`."""

    def _compile_builder(self, append_unknown: bool = True) -> "Builder":
        return Builder(self, append_unknown)

    def build_late(self, append_unknown: bool) -> Callable[..., Built]:
        """Takes the place of the builder that asks for it."""
        made: Callable[..., Built] = super()._compile_builder(append_unknown).__get__(self, None)
        setattr(self, KEPT_AS[append_unknown], made)
        return made


class Builder:
    """Stands where a rule keeps what werkzeug would have compiled, until somebody builds an address of it."""

    __slots__ = ("append_unknown", "rule")

    def __init__(self, rule: LateRule, append_unknown: bool) -> None:
        self.rule, self.append_unknown = rule, append_unknown

    def __get__(self, _rule: object, _kind: object = None) -> Self:
        return self

    def __call__(self, **values: Any) -> Built:
        return self.rule.build_late(self.append_unknown)(**values)
