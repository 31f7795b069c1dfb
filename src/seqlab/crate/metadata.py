"""Metadata of a crate: ro-crate-metadata.json of the profile Workflow Run Crate 0.5 (RO-Crate 1.1).

The profile: https://w3id.org/ro/wfrun/workflow/0.5. Leo et al. 2024, "Recording provenance of workflow runs with
RO-Crate".
"""

import json
import mimetypes
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from rocrate.model import ContextEntity, File, Person
from rocrate.rocrate import ROCrate

from seqlab.crate.contents import RESULTS_FOLDER, WORKFLOW_FILE

RO_CRATE_VERSION = "1.1"  # on which the profiles of runs are defined
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": ("Process Run Crate", "0.5"),
    "https://w3id.org/ro/wfrun/workflow/0.5": ("Workflow Run Crate", "0.5"),
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": ("Workflow RO-Crate", "1.0"),
}
EXTRA_TERMS = {"sha256": "https://w3id.org/ro/terms/workflow-run#sha256"}
VALUE_TYPES = {bool: "Boolean", int: "Integer", float: "Float"}  # of Python -> of schema.org; others are Text
FILE_TYPES = {
    ".yaml": "application/yaml",
    ".npz": "application/zip",
    ".safetensors": "application/octet-stream",
    ".diff": "text/x-diff",
    ".smk": "text/x-python",
    ".md": "text/markdown",
}
WORKFLOW_PROFILE = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
RUN_ID = "#run"
CONFIGURATION_FILE, README_FILE = "configuration.yaml", "README.md"


def compose_metadata(
    title: str,
    settings: Mapping[str, Any],
    date: str,
    configuration: Mapping[str, Any],
    provenance: Mapping[str, Any],
    files: Mapping[str, tuple[int, str]],
    descriptions: Mapping[str, str],
    texts: Sequence[Mapping[str, str]],
) -> dict[str, Any]:
    """Return the metadata as JSON-LD.

    `settings` is the block `crate` of the configuration, `provenance` the content of provenance.json, `files` maps
    every other file of the crate to its size and SHA-256, `descriptions` some of them to a sentence, and `texts` are
    the Croissant files of the FileObjects that were read: address, name and SHA-256.
    """
    crate = ROCrate(version=RO_CRATE_VERSION)
    root, versions = crate.root_dataset, provenance["versions"]
    crate.metadata.extra_terms.update(EXTRA_TERMS)
    root["name"], root["description"] = title, settings["description"] or title
    root["datePublished"] = date
    root["license"] = _add_licence(crate, settings["licence"])
    root["conformsTo"] = [_add_profile(crate, address) for address in PROFILES]
    description = _describe_file(WORKFLOW_FILE, *files[WORKFLOW_FILE]) | {"name": "seqlab"}
    language = {"main": True, "lang": "snakemake", "lang_version": versions["snakemake"]}
    workflow = crate.add_workflow(dest_path=WORKFLOW_FILE, properties=description, **language)
    entities = {name: workflow if name == WORKFLOW_FILE else _add_file(crate, name, *files[name]) for name in files}
    for name, sentence in descriptions.items():
        entities[name]["description"] = sentence
    people = [_add_person(crate, author) for author in settings["authors"]]
    authors = people[0] if len(people) == 1 else people
    if people:
        root["author"] = authors
    software = [_add_software(crate, name, version) for name, version in versions.items() if name != "seqlab"]
    workflow["softwareRequirements"] = software
    workflow["version"] = provenance["commit"]
    workflow["conformsTo"] = {"@id": WORKFLOW_PROFILE}
    workflow["license"] = root["license"]
    entities[README_FILE]["about"] = root
    inputs = [_add_text(crate, text) for text in texts] + [*_add_parameters(crate, workflow, configuration)]
    inputs.insert(0, entities[CONFIGURATION_FILE])
    results = [entity for name, entity in entities.items() if name.startswith(f"{RESULTS_FOLDER}/")]
    action = {
        "name": f"Run of {title}",
        "actionStatus": "http://schema.org/CompletedActionStatus",
        "description": f"On {provenance['processor']}, {provenance['system']}.",
    }
    run = crate.add_action(workflow, RUN_ID, object=inputs, result=results, properties=action)
    if people:
        run["agent"] = authors
    root["mentions"] = run
    return dict(crate.metadata.generate())


def _add_licence(crate: ROCrate, licence: str) -> ContextEntity:
    """Add a licence by its SPDX identifier or its address."""
    address = licence if "://" in licence else f"https://spdx.org/licenses/{licence}"
    return crate.add(
        ContextEntity(crate, address, {"@type": "CreativeWork", "name": licence, "description": f"Licence {licence}"})
    )


def _add_profile(crate: ROCrate, address: str) -> ContextEntity:
    name, version = PROFILES[address]
    return crate.add(ContextEntity(crate, address, {"@type": "CreativeWork", "name": name, "version": version}))


def _add_person(crate: ROCrate, author: Mapping[str, str]) -> Person:
    """Add an author by name, with the ORCID and the affiliation where they are given."""
    identifier = f"https://orcid.org/{author['orcid']}" if author.get("orcid") else f"#{quote(author['name'])}"
    properties = {"name": author["name"]}
    if author.get("affiliation"):
        organization = ContextEntity(
            crate, f"#{quote(author['affiliation'])}", {"@type": "Organization", "name": author["affiliation"]}
        )
        properties["affiliation"] = crate.add(organization)
    return crate.add(Person(crate, identifier, properties))


def _add_software(crate: ROCrate, name: str, version: str) -> ContextEntity:
    public = version.partition("+")[0]  # without the build
    address = f"https://pypi.org/project/{name}/{public}/"
    if name == "python":
        address = f"https://www.python.org/downloads/release/python-{public.replace('.', '')}/"
    properties = {"@type": "SoftwareApplication", "name": name, "softwareVersion": version, "url": address}
    return crate.add(ContextEntity(crate, address, properties))


def _describe_file(name: str, size: int, digest: str) -> dict[str, Any]:
    suffix = name[name.rfind(".") :]
    kind = FILE_TYPES.get(suffix) or mimetypes.guess_type(name, strict=True)[0] or "text/plain"
    return {"name": name, "contentSize": str(size), "sha256": digest, "encodingFormat": kind}


def _add_file(crate: ROCrate, name: str, size: int, digest: str) -> File:
    return crate.add_file(dest_path=name, properties=_describe_file(name, size, digest))  # which encodes the name


def _add_text(crate: ROCrate, text: Mapping[str, str]) -> ContextEntity:
    """Add a text that was read: it is not part of the crate, and known by its address and SHA-256."""
    properties = {"@type": "CreativeWork", "name": text["name"], "sha256": text["sha256"]}
    if "://" in text["address"]:
        properties["url"] = text["address"]
    return crate.add(ContextEntity(crate, f"#{quote(text['name'])}", properties))


def _add_parameters(crate: ROCrate, workflow: Any, configuration: Mapping[str, Any]) -> Iterator[ContextEntity]:
    """Add every key of the configuration as a parameter of the workflow; yield their values."""
    for key, value in _flatten(configuration):
        kind = VALUE_TYPES.get(type(value), "Text")
        parameter = crate.add_formal_parameter(key, kind, f"#parameter-{quote(key)}")
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        properties = {"@type": "PropertyValue", "name": key, "value": text, "exampleOfWork": parameter}
        entity = crate.add(ContextEntity(crate, f"#value-{quote(key)}", properties))
        parameter["workExample"] = entity
        workflow.append_to("input", parameter)
        yield entity


def _flatten(block: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the keys of nested blocks, as in rnn.training.dropout, with their values; lists are values."""
    for key, value in block.items():
        if isinstance(value, dict) and value:
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value
