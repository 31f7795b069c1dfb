"""Draw test perplexity against the order of n-grams, with the best networks and the known floor."""

from seqlab.errors import command
from seqlab.report.figures import perplexity_by_order
from seqlab.report.floor import draw_with_floor


@command
def main() -> None:
    draw_with_floor(__doc__, perplexity_by_order)


if __name__ == "__main__":
    main()
