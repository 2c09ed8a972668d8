"""Metric filters as CloudWatch has them: of their own log group, by JSON patterns, with values and dimensions."""

import json
import operator
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

Event = dict[str, Any]
Datum = dict[str, Any]
MetricFilter = dict[str, Any]
"""As moto keeps it."""

TERM = re.compile(
    r'\s*\$\.(?P<field>\w+)\s*(?P<operator>!=|<=|>=|=|<|>)\s*(?P<value>"[^"]*"|[-+.\w*]+)\s*(?P<more>&&|$)'
)
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?")
SELECTOR = re.compile(r"\$\.\w+")
COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def check(pattern: str, transformations: Iterable[dict[str, Any]]) -> None:
    """Raise for what is not measured here."""
    _matcher(pattern)
    for transformation in transformations:
        if "defaultValue" in transformation:
            raise NotImplementedError("logs: the default value of a metric filter is not supported")
        for of in (transformation["metricValue"], *transformation.get("dimensions", {}).values()):
            if of.startswith("$") and not SELECTOR.fullmatch(of):
                raise NotImplementedError(f"logs: expected a field as $.rows, got {of}")


def measured(filters: Iterable[MetricFilter], group: str, messages: list[str]) -> dict[str, list[Datum]]:
    """What the group's filters find in the messages, by namespace: a datum for each metric and its dimensions."""
    found: dict[str, list[Datum]] = defaultdict(list)
    events = [_parsed(message) for message in messages]
    for each in filters:
        if each["logGroupName"] == group:
            matching = [event or {} for event in filter(_matcher(each["filterPattern"] or ""), events)]
            for transformation in each["metricTransformations"]:
                found[transformation["metricNamespace"]] += _data(transformation, matching)
    return found


def _data(transformation: dict[str, Any], events: list[Event]) -> Iterator[Datum]:
    """Of the events that have a number as value, and all dimensions. LocalStack takes 10 ms for each datum."""
    values: dict[tuple[tuple[str, str], ...], list[float]] = defaultdict(list)
    for event in events:
        value = str(_value(event, transformation["metricValue"]))
        dimensions = [(name, _value(event, of)) for name, of in transformation.get("dimensions", {}).items()]
        if NUMBER.fullmatch(value) and all(of is not None for _, of in dimensions):
            values[tuple((name, str(of)) for name, of in dimensions)].append(float(value))
    for names, numbers in values.items():
        yield {
            "MetricName": transformation["metricName"],
            "Dimensions": [{"Name": name, "Value": of} for name, of in names],
            "Unit": transformation.get("unit") or "None",
            "StatisticValues": {
                "SampleCount": len(numbers),
                "Sum": sum(numbers),
                "Minimum": min(numbers),
                "Maximum": max(numbers),
            },
        }


def _matcher(pattern: str) -> Callable[[Event | None], bool]:
    """Whether an event, None for text, is what the pattern wants."""
    pattern = pattern.strip()
    if not pattern:
        return lambda event: True
    if not (pattern.startswith("{") and pattern.endswith("}")):
        raise NotImplementedError(f"logs: expected a JSON pattern as {{ $.rows >= 0 }}, got {pattern}")
    terms = list(_terms(pattern[1:-1]))
    return lambda event: event is not None and all(term(event) for term in terms)


def _terms(text: str) -> Iterator[Callable[[Event], bool]]:
    position, more = 0, "&&"
    while more:
        term = TERM.match(text, position)
        if not term:
            raise NotImplementedError(f"logs: expected a comparison as $.rows >= 0, got {text[position:].strip()}")
        yield _comparison(term["field"], term["operator"], term["value"])
        position, more = term.end(), term["more"]


def _comparison(field: str, symbol: str, literal: str) -> Callable[[Event], bool]:
    compare = COMPARISONS[symbol]
    if NUMBER.fullmatch(literal):
        number = float(literal)
        return lambda event: _is_number(event.get(field)) and compare(event[field], number)
    if symbol not in {"=", "!="}:
        raise NotImplementedError(f"logs: expected a number after {symbol}, got {literal}")
    wanted = re.compile(".*".join(map(re.escape, literal.strip('"').split("*"))), re.DOTALL)
    return lambda event: isinstance(event.get(field), str) and compare(wanted.fullmatch(event[field]) is not None, True)


def _parsed(message: str) -> Event | None:
    try:
        event = json.loads(message)
    except ValueError:
        return None
    return event if isinstance(event, dict) else None


def _value(event: Event, of: str) -> Any:
    return event.get(of.removeprefix("$.")) if of.startswith("$.") else of


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
