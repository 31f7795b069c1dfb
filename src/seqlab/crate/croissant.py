"""Croissant metadata of corpora and series, without their content (MLCommons, Croissant 1.1)."""

from typing import Any

from seqlab.io.runs import SPLIT_NAMES
from seqlab.text.definitions import define_part

CROISSANT_VERSION = "http://mlcommons.org/croissant/1.1"
TERMS = (  # of Croissant itself; all other keys are those of schema.org
    *("arrayShape", "citeAs", "column", "containedIn", "equivalentProperty", "extract", "field", "fileProperty"),
    *("fileObject", "fileSet", "format", "includes", "isArray", "isLiveDataset", "jsonPath", "key", "md5"),
    *("parentField", "path", "recordSet", "references", "regex", "repeated", "replace", "samplingRate", "separator"),
    *("source", "subField", "transform"),
)
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "description": {"@container": "@language"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "name": {"@container": "@language"},
    **{term: f"cr:{term}" for term in TERMS},
}


def compose_croissant(name: str, definition: dict[str, Any], digests: dict[str, str], date: str) -> dict[str, Any]:
    """Return the Croissant metadata of the corpus or series `name` from its block in corpora.yaml or series.yaml.

    `digests` maps each of its files to its SHA-256: raw.txt of a text, or the files of the splits, series.csv of a
    series. `date` is that of the publication.
    """
    files = [_describe_file(file, digest, _find_address(definition, file)) for file, digest in digests.items()]
    fields = _list_series_fields(definition) if "series.csv" in digests else []
    records = [
        {
            "@type": "cr:RecordSet",
            "@id": f"records-{number}",
            "name": f"records-{number}",
            "field": _describe_fields(f"records-{number}", file["@id"], fields),
        }
        for number, file in enumerate(files)
    ]
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CROISSANT_VERSION,
        "name": name,
        "description": f"{definition['title']}. {_describe_origin(definition)}",
        "license": definition.get("licence", "unknown"),
        "url": next((file["contentUrl"] for file in files if "://" in file["contentUrl"]), f"#{name}"),
        "datePublished": date,
        "version": "1.0.0",
        "distribution": files,
        "recordSet": records,
    }


def _describe_origin(definition: dict[str, Any]) -> str:
    """Return a sentence on how the content is obtained."""
    if definition["kind"] == "builtin":
        keys = ("settings", "length", "seed", "max_characters")
        values = ", ".join(f"{key} {definition[key]}" for key in keys if key in definition)
        return f"seqlab writes it: {definition['builtin']}{f' with {values}' if values else ''}."
    if definition["kind"] == "url" or any(isinstance(part, dict) for part in definition.get("files", {}).values()):
        return "It is downloaded from the addresses below, and used only if its SHA-256 is the one given."
    return "It is a file of the authors of the experiment and not part of this crate."


def _find_address(definition: dict[str, Any], file: str) -> str:
    """Return the address of a file of a corpus, or its name where it has none."""
    part = next((split for split in SPLIT_NAMES if file == f"{split}.txt"), None)
    source = define_part(definition, part) if part and "files" in definition else definition
    return str(source["urls"][0]) if "urls" in source else file


def _describe_file(file: str, digest: str, address: str) -> dict[str, Any]:
    kind = "text/csv" if file.endswith(".csv") else "text/plain"
    return {
        "@type": "cr:FileObject",
        "@id": file,
        "name": file,
        "contentUrl": address,
        "encodingFormat": kind,
        "sha256": digest,
    }


def _list_series_fields(definition: dict[str, Any]) -> list[str]:
    columns = definition.get("columns") or []
    return ["index", *([*columns, *definition.get("exogenous", [])] if len(columns) > 1 else ["value"])]


def _describe_fields(records: str, file: str, columns: list[str]) -> list[dict[str, Any]]:
    """Return the fields of a file: its `columns`, or without these its whole text."""
    fields = [(column, "sc:Float", {"column": column}) for column in columns]
    return [
        {
            "@type": "cr:Field",
            "@id": f"{records}/{name}",
            "name": name,
            "dataType": kind,
            "source": {"fileObject": {"@id": file}, "extract": extract},
        }
        for name, kind, extract in fields or [("text", "sc:Text", {"fileProperty": "content"})]
    ]
