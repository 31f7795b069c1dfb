"""Intervals of differences as small drawings beside their numbers."""

from collections.abc import Sequence

from markupsafe import Markup

from seqlab.questions.verdicts import Verdict

WIDTH, HEIGHT, MARGIN = 96.0, 16.0, 5.0  # pixels
SHOWN_SHARE = 0.5  # of the models whose differences fit the scale; an arrow stands for a larger one


class IntervalScale:
    """Scale shared by the drawings of a table, in bits per symbol: from the lowest end, at most 0, to the end of
    the interval that `SHOWN_SHARE` of the models do not exceed.
    """

    def __init__(self, verdicts: Sequence[Verdict]) -> None:
        known = [verdict for verdict in verdicts if verdict.is_known]
        highs = sorted(max(verdict.high, 0.0) for verdict in known)
        self.low = min([0.0, *(verdict.low for verdict in known)])
        self.high = highs[min(int(SHOWN_SHARE * len(highs)), len(highs) - 1)] if highs else 0.0
        if self.high <= self.low:
            self.high = self.low + 1.0

    def place(self, bits: float) -> float:
        """Return the horizontal place of a difference in pixels, at most the end of the drawing."""
        share = min((bits - self.low) / (self.high - self.low), 1.0)
        return MARGIN + share * (WIDTH - 2 * MARGIN)

    def draw(self, verdict: Verdict) -> Markup:
        """Return the interval of a verdict as SVG: a line with a point, and a vertical line at no difference.

        An arrow stands for an interval or its part beyond the scale. Empty where the models can't be compared.
        """
        if not verdict.is_known:
            return Markup("")
        middle, end = HEIGHT / 2, WIDTH - MARGIN
        parts = [f'<path class="zero" d="M{self.place(0.0):.1f} 1V{HEIGHT - 1:g}"/>']
        if verdict.low < self.high:
            parts.append(f'<path d="M{self.place(verdict.low):.1f} {middle:g}H{self.place(verdict.high):.1f}"/>')
        if verdict.difference <= self.high:
            parts.append(f'<circle cx="{self.place(verdict.difference):.1f}" cy="{middle:g}" r="3"/>')
        if verdict.high > self.high:
            parts.append(f'<path class="arrow" d="M{end:g} {middle - 4:g}l5 4l-5 4z"/>')
        size = f'width="{WIDTH:g}" height="{HEIGHT:g}" viewBox="0 0 {WIDTH:g} {HEIGHT:g}"'
        return Markup(f'<svg class="interval" {size} aria-hidden="true">{"".join(parts)}</svg>')
