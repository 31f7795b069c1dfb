"""Is a difference between two models real? Paired comparisons of the bits that each charged for the same symbols.

Two sources of chance: another test text, and other seeds. The first is estimated from blocks of neighbouring symbols,
because what a model finds hard comes in stretches; the second from the spread over replicas.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import nctdtrinc, stdtr, stdtrit

CONFIDENCE, POWER = 0.95, 0.8
FEWEST_BLOCKS = 8  # fewer say too little of the spread between them


@dataclass(frozen=True)
class Comparison:
    """The mean difference of two models in bits per symbol, the first less the second, and how sure it is.

    `low` and `high` are the 95 % interval, `p` the probability of a difference so large if there were none (two-sided),
    `minimum_detectable` the difference that would be found in four of five such comparisons. `block` is in symbols.
    """

    difference: float
    standard_error: float
    low: float
    high: float
    p: float
    minimum_detectable: float
    block: int
    text_error: float
    seed_error: float


def compare(first: NDArray[Any], second: NDArray[Any], block: int | None = None) -> Comparison:
    """Compare the bits of two models for the same symbols, each of shape (replicas, symbols).

    The error from the text is that of the circular block bootstrap (Politis & Romano 1992), which for a mean has a
    closed form; that from the seeds is the error of the mean over replicas, none where there is one replica. Their
    sum is judged by Student's t with the degrees of freedom of Satterthwaite (1946).
    Raises ValueError where the numbers of symbols differ, a figure is not finite, or there are fewer than 16 symbols.
    """
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"{first.shape[1]} symbols cannot be compared with {second.shape[1]}")
    bits = [np.asarray(each, dtype=np.float64) for each in (first, second)]
    if not all(np.isfinite(each).all() for each in bits):
        raise ValueError("a symbol costs infinitely many bits, or a figure is not a number")
    return _mean(bits[0].mean(0) - bits[1].mean(0), bits, block)


def interval(bits: NDArray[Any]) -> tuple[float, float]:
    """Where the mean of `bits`, (replicas, symbols), would lie for other texts and other seeds, in 95 % of them.

    By the two sources of chance of `compare`; not a number where that can't be said: a figure is infinite, or there
    are fewer than 16 symbols.
    """
    exact = np.asarray(bits, dtype=np.float64)
    if not np.isfinite(exact).all() or exact.shape[1] < 2 * FEWEST_BLOCKS:
        return math.nan, math.nan
    found = _mean(exact.mean(0), [exact], None)
    return found.low, found.high


def _mean(values: NDArray[np.float64], parts: Sequence[NDArray[np.float64]], block: int | None) -> Comparison:
    """The mean of `values`, (symbols,), which are made of means over the replicas of `parts`, and how sure it is."""
    symbols = len(values)
    if symbols < 2 * FEWEST_BLOCKS:
        raise ValueError(f"{symbols} symbols are too few to compare; {2 * FEWEST_BLOCKS} are needed")
    size = min(block or block_length(values), symbols // FEWEST_BLOCKS)
    sources = [(block_variance(values, size), symbols / size - 1)]
    for each in parts:
        if len(each) > 1:
            sources.append((float(each.mean(1).var(ddof=1)) / len(each), len(each) - 1))
    return _judged(float(values.mean()), sources, size)


def _judged(difference: float, sources: Sequence[tuple[float, float]], block: int) -> Comparison:
    """The comparison that follows from independent `sources` of variance, each with its degrees of freedom."""
    variance = sum(part for part, _ in sources)
    error = math.sqrt(variance)
    seeds = math.sqrt(sum(part for part, _ in sources[1:]))
    if not variance:  # the same bits everywhere, or differing by a constant
        p = 1.0 if difference == 0 else 0.0
        return Comparison(difference, 0.0, difference, difference, p, 0.0, block, 0.0, 0.0)
    freedom = variance**2 / sum(part**2 / degrees for part, degrees in sources)
    wide = float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * error
    found = detectable(error, freedom)
    p = 2 * float(stdtr(freedom, -abs(difference) / error))
    return Comparison(
        difference, error, difference - wide, difference + wide, p, found, block, math.sqrt(sources[0][0]), seeds
    )


def detectable(error: float, freedom: float) -> float:
    """The difference that a test at 5 % with this standard error and so many degrees of freedom finds four times in
    five, from the noncentral t distribution.
    """
    critical = float(stdtrit(freedom, (1 + CONFIDENCE) / 2))
    if freedom > 1000:  # as good as normal, where the noncentral distribution is hard to compute
        return error * (critical + float(stdtrit(freedom, POWER)))
    return error * float(nctdtrinc(freedom, 1 - POWER, critical))


def block_variance(values: NDArray[np.float64], block: int) -> float:
    """The variance of the mean of `values`, (n,), under the circular block bootstrap, without drawing.

    Each of the n blocks that begin at some value, wrapping round the end, is as likely as the others, so the variance
    of the mean of n / block of them is that of a block's mean, by the number of blocks. The n values themselves took a
    degree of freedom, which is given back.
    """
    symbols = len(values)
    sums = np.cumsum(np.concatenate([[0.0], values, values[: block - 1]]))
    means = (sums[block:] - sums[:-block]) / block
    blocks = symbols / block
    return float(means.var()) / (blocks - 1)


def block_length(values: NDArray[np.float64]) -> int:
    """How long blocks of `values`, (n,), should be: Politis & White 2004 with the correction of Patton et al. 2009.

    The autocorrelation is summed up to twice the lag after which it is not told from zero at five lags running and
    weighed with their flat-top window; at least 1 and at most n / 8.
    """
    from statsmodels.tsa.stattools import acovf  # takes a second to load

    symbols = len(values)
    lags = min(symbols // FEWEST_BLOCKS, math.ceil(math.sqrt(symbols)) + 5)
    covariance = acovf(values, nlag=lags, fft=True)
    if covariance[0] <= (1e-15 * np.abs(values).max()) ** 2:  # nothing but rounding, whatever the unit
        return 1
    correlation = np.abs(covariance / covariance[0])
    run = max(5, math.ceil(math.sqrt(math.log10(symbols))))
    small = correlation[1:] < 2 * math.sqrt(math.log10(symbols) / symbols)
    last = next((lag for lag in range(len(small)) if small[lag : lag + run].all()), len(small))
    lag = np.arange(-2 * last, 2 * last + 1)
    lag = lag[np.abs(lag) <= lags]
    window = np.clip(2 * (1 - np.abs(lag) / max(2 * last, 1)), 0, 1)
    weighed = window * covariance[np.abs(lag)]
    slope, spectrum = float((np.abs(lag) * weighed).sum()), float(weighed.sum())
    if spectrum <= 0:
        return 1
    best = (2 * slope**2 / (4 / 3 * spectrum**2)) ** (1 / 3) * symbols ** (1 / 3)
    return int(min(max(1, math.ceil(best)), symbols // FEWEST_BLOCKS))


def holm(p_values: Sequence[float]) -> list[float]:
    """The p values of a table, adjusted so that the chance of any false one among them is kept (Holm 1979)."""
    from statsmodels.stats.multitest import multipletests  # takes a second to load

    return multipletests(p_values, method="holm")[1].tolist()
