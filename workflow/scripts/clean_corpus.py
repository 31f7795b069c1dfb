"""Clean the raw text of a corpus."""

import argparse

from seqlab.io.errors import command
from seqlab.io.files import write_text
from seqlab.text.cleaning import apply_cleaning
from seqlab.text.reading import load_text
from seqlab.text.splits import FILES_KIND, SEPARATOR


@command
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--raw", required=True, help="raw.txt of the corpus")
    parser.add_argument("--cleaning", required=True, help="letters, whitespace or none")
    parser.add_argument("--kind", required=True, help="kind of the corpus; files are cleaned separately")
    parser.add_argument("--output", required=True, help="clean.txt to write")
    arguments = parser.parse_args()
    raw = load_text(arguments.raw)
    files = raw.split(SEPARATOR) if arguments.kind == FILES_KIND else [raw]
    text = SEPARATOR.join(apply_cleaning(file, arguments.cleaning, arguments.raw) for file in files)
    write_text(arguments.output, text)
    print(f"{len(text):,} characters, {len(set(text))} different ones")


if __name__ == "__main__":
    main()
