"""Draw test bits per character against parameters and seconds of training, with compressors and the known floor."""

from seqlab.errors import command
from seqlab.report.cost import cost
from seqlab.report.floor import draw_with_floor


@command
def main() -> None:
    draw_with_floor(__doc__, cost)


if __name__ == "__main__":
    main()
