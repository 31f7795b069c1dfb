"""Every key of every schema is described, and a value that is not right is named in one sentence."""

from collections.abc import Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from seqlab.io.errors import InputError
from seqlab.io.schemas import SCHEMA_FOLDER, check, read_schema

NAMES = [path.name.removesuffix(".schema.yaml") for path in SCHEMA_FOLDER.glob("*.yaml")]
KEYWORDS = {*Draft202012Validator.VALIDATORS, "$schema", "title", "then", "else", "description", "axis", "allowed"}
NESTED = ("items", "additionalProperties", "if", "then", "else", "not", "contains", "propertyNames")


def blocks(schema: Any) -> Iterator[dict[str, Any]]:
    """`schema` and every schema in it."""
    if isinstance(schema, dict):
        yield schema
        for block in [*schema.get("properties", {}).values(), *schema.get("allOf", []), *map(schema.get, NESTED)]:
            yield from blocks(block)


@pytest.mark.parametrize("name", NAMES)
def test_every_keyword_is_known_and_every_key_is_described(name: str) -> None:
    schema = read_schema(name)
    assert {key for block in blocks(schema) for key in block} <= KEYWORDS  # a comma without quotes begins another
    assert [key for key, value in schema["properties"].items() if not value["description"].endswith(".")] == []


def test_a_reference_is_replaced_and_the_keys_beside_it_are_added() -> None:
    network = read_schema("card")["allOf"][2]["then"]["properties"]["settings"]
    assert network["properties"]["dropout"]["exclusiveMaximum"] == 1
    assert network["properties"]["hidden"]["minimum"] == 1
    assert network["additionalProperties"] is False and network["required"] == ["cell", "layers", "hidden"]


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        ([], "here: it is []; it must be a block of keys"),
        ({"count": 0}, "here: key 'count' is 0; it must be at least 1"),
        ({"count": 1, "cuont": 2}, "here: key 'cuont' is unknown; did you mean 'count'?"),
        ({"zzz": 1}, "here: key 'zzz' is unknown; allowed are count, kind, shares"),
        ({}, "here: key 'count' is missing; add it"),
        ({"count": 1, "kind": "none", "shares": []}, "here: key 'shares' is unknown; allowed are count, kind"),
        ({"count": 1, "shares": [0.5, float("nan")]}, "here: key 'shares.1' is nan; it must be a finite number"),
        ({"count": 1, "shares": [2]}, "here: key 'shares.0' is 2; it must be a share"),
    ],
)
def test_the_first_key_that_is_not_right_is_named(value: Any, sentence: str) -> None:
    share = {"type": "number", "maximum": 1, "allowed": "a share"}
    schema = {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "count": {"type": "integer", "minimum": 1},
            "kind": {"type": "string"},
            "shares": {"type": "array", "items": share},
        },
        "required": ["count"],
        "allOf": [{"if": {"required": ["kind"]}, "then": {"propertyNames": {"enum": ["count", "kind"]}}}],
    }
    with pytest.raises(InputError) as caught:
        check(value, schema, "here:")
    assert str(caught.value) == sentence
