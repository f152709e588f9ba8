"""MiniStack's conditions do not know Fn::Join.

The template asks by it whether a list is empty. MiniStack keeps a list that is a parameter as a string, which is empty
when the joined list is.
"""

from collections.abc import Mapping
from typing import Any

# Each of these modules imports the function by its name.
from ministack.services.cloudformation import changesets, engine, handlers, stacks  # noqa: F401

from local.emulator.replace import replace_everywhere

_former = engine._evaluate_conditions


def is_needed() -> bool:
    """Return whether a joined list that is empty counts as one that is not."""
    template = {"Conditions": {"Empty": {"Fn::Equals": [{"Fn::Join": ["", {"Ref": "List"}]}, ""]}}}
    return not engine._evaluate_conditions(template, {"List": {"Value": ""}})["Empty"]


def install() -> None:
    """Evaluate conditions without Fn::Join, where it joins with nothing."""
    replace_everywhere("_evaluate_conditions", _former, _evaluate)


def _evaluate(template: Mapping[str, Any], params: Mapping[str, Any]) -> dict[str, bool]:
    evaluated: dict[str, bool] = _former({**template, "Conditions": _unjoined(template.get("Conditions", {}))}, params)
    return evaluated


def _unjoined(node: Any) -> Any:
    if isinstance(node, list):
        return [_unjoined(one) for one in node]
    if not isinstance(node, dict):
        return node
    joined = node.get("Fn::Join")
    return joined[1] if joined and joined[0] == "" else {name: _unjoined(value) for name, value in node.items()}
