"""Check a text for anomalies before training."""

import argparse
from dataclasses import asdict
from pathlib import Path

from seqlab.io.arguments import json_argument
from seqlab.io.errors import InputError, command, quote
from seqlab.io.files import write_json
from seqlab.text.checks import check_clean, check_raw, check_splits, check_unit
from seqlab.text.reading import load_text, read_clean
from seqlab.text.splits import read_segments
from seqlab.text.tokens import UNITS
from seqlab.text.vocab import Vocab


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", required=True, help="name of the corpus")
    parser.add_argument("--raw", required=True, help="raw.txt of the corpus")
    parser.add_argument("--text", required=True, type=Path, help="clean.txt of the corpus")
    for name in ("ids", "splits", "vocab"):
        parser.add_argument(f"--{name}", required=True, help=f"{name} of the corpus and unit")
    parser.add_argument("--unit", required=True, choices=UNITS, help="char, word or byte")
    parser.add_argument("--accept", nargs="*", default=[], help="kinds of findings that do not stop the workflow")
    need = json_argument("model", "key", "value", "symbols")
    parser.add_argument("--need", required=True, type=need, help="the run that needs the longest text, as JSON")
    parser.add_argument("--output", required=True, help="check.json to write")
    arguments = parser.parse_args()
    segments, vocab = read_segments(arguments.ids, arguments.splits), Vocab.load(arguments.vocab)
    need, symbols = arguments.need, sum(map(len, segments["train"]))
    if type(need["symbols"]) is not int:
        raise InputError(f"symbols of --need is {quote(need['symbols'])}; pass a whole number")
    if symbols < need["symbols"]:
        raise InputError(
            f"the training split of corpus {arguments.corpus} has {symbols} symbols, but {need['model']} with "
            f"{need['key']} {need['value']} needs {need['symbols']}; use a longer text or a smaller {need['key']}"
        )
    text = read_clean(arguments.text)
    findings = check_raw(load_text(arguments.raw)) + check_clean(text) + check_unit(text, vocab)
    findings += check_splits(segments, vocab.tokens, arguments.unit)
    for finding in findings:
        print(f"{finding.kind}: {finding.sentence}")
    stopping = [finding for finding in findings if finding.stops and finding.kind not in arguments.accept]
    if stopping:
        raise InputError(
            f"{arguments.raw}: {stopping[0].sentence}; results would be meaningless. Correct the text, or accept it "
            f"with --config 'checks={{accept: [{stopping[0].kind}]}}'"
        )
    write_json(arguments.output, {"findings": [asdict(finding) for finding in findings]})


if __name__ == "__main__":
    main()
