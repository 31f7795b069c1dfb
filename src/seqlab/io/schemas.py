"""Schemas of the configuration and of files, and the check of values against them.

The schemas in `seqlab/schemas` describe every key; `make docs` generates tables from them. A `$ref` to another file is
replaced by its target, extended by the keys beside it; the keyword `allowed` describes the allowed values in words, and
`axis` marks a setting that may be a list.
"""

import difflib
import math
from functools import cache
from pathlib import Path
from typing import Any

from seqlab.io.errors import InputError, quote

SCHEMA_FOLDER = Path(__file__).parents[1] / "schemas"
NO_LINE_END = r"(?!\n)"  # ends a pattern of a schema, because Python's $ also matches before a last line end
TYPE_NAMES = {
    "integer": "a whole number",
    "array": "a list",
    "object": "a block of keys",
    "string": "a text",
    "boolean": "true or false",
    "null": "null",
}


@cache
def read_schema(name: str) -> dict[str, Any]:
    """Return the schema `name`, such as config or card, as a JSON schema without references."""
    import yaml  # the Snakefile imports this module

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast, where it exists
    content = (SCHEMA_FOLDER / f"{name}.schema.yaml").read_text(encoding="utf-8")
    schema: dict[str, Any] = _without_references(loader(content).get_single_data())
    return schema


def _without_references(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_references(item) for item in value]
    if not isinstance(value, dict):
        return value
    beside = {key: _without_references(item) for key, item in value.items() if key != "$ref"}
    if "$ref" not in value:
        return beside
    file, _, place = value["$ref"].partition("#/")
    target: Any = read_schema(file.removesuffix(".schema.yaml"))
    for key in place.split("/"):
        target = target[key]
    properties = target.get("properties", {}) | beside.get("properties", {})
    return target | beside | ({"properties": properties} if properties else {})


def check(value: Any, schema: dict[str, Any], where: str = "") -> None:
    """Raise InputError for the first key of `value` that `schema` does not allow, or that is infinite or NaN.

    `where` begins the sentence: the file or block of the key.
    """
    from jsonschema import Draft202012Validator  # takes 60 ms

    validator: Any = Draft202012Validator(schema)
    errors = sorted(validator.iter_errors(value), key=lambda error: (len(error.path), str(error.path)))
    if fault := _sentence(errors[0]) if errors else _infinite(value, ""):
        raise InputError(f"{where} {fault}".strip())


def _sentence(error: Any) -> str:
    """Return an error of jsonschema as a sentence about the key."""
    place = ".".join(str(part) for part in error.absolute_path)
    if error.validator == "additionalProperties":
        known = sorted(error.schema["properties"])
        return _unknown(place, next(key for key in error.instance if key not in known), known)
    if error.validator == "enum" and "propertyNames" in error.absolute_schema_path:
        return _unknown(place, error.instance, sorted(error.validator_value))
    if error.validator == "required":
        key = next(key for key in error.validator_value if key not in error.instance)
        return f"key {_join(place, key)!r} is missing; add it"
    key = f"key {place!r}" if place else "it"
    return f"{key} is {quote(error.instance)}; it must be {_allowed(error)}"


def _unknown(place: str, key: object, known: list[str]) -> str:
    close = difflib.get_close_matches(str(key), known, 1)
    hint = f"did you mean {close[0]!r}?" if close else f"allowed are {', '.join(known)}"
    return f"key {_join(place, key)!r} is unknown; {hint}"


def _infinite(value: Any, place: str) -> str | None:
    """Return a sentence about the first infinity or NaN, which YAML has and JSON schemas ignore."""
    if isinstance(value, float) and not math.isfinite(value):
        return f"key {place!r} is {value}; it must be a finite number"
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return next(filter(None, (_infinite(item, _join(place, key)) for key, item in items)), None)


def _join(place: str, key: object) -> str:
    key = key if len(str(key)) <= 60 else f"{str(key)[:60]}..."
    return f"{place}.{key}" if place else str(key)


def _allowed(error: Any) -> str:
    """Return the allowed values in words."""
    value = error.validator_value
    if isinstance(error.schema, dict) and "allowed" in error.schema:
        return str(error.schema["allowed"])
    values = value if isinstance(value, list) else [value]
    words = {
        "enum": f"one of {', '.join(map(str, values))}",
        "minimum": f"at least {value}",
        "exclusiveMinimum": f"above {value}",
        "maximum": f"at most {value}",
        "exclusiveMaximum": f"below {value}",
        "type": " or ".join(TYPE_NAMES.get(str(kind), f"a {kind}") for kind in values),
        "minItems": f"a list of at least {value}",
        "minProperties": f"a block of at least {value} key",
        "maxProperties": f"a block of at most {value} key",
        "contains": "a list with 1 in it",
        "uniqueItems": "a list without duplicates",
        "pattern": f"a name that matches {str(value).removesuffix(NO_LINE_END)}",
    }
    return words.get(error.validator) or quote(error.message)
