"""Paired comparisons of two models on the same symbols, with confidence intervals.

The variance has two sources: the test text, estimated from blocks of neighbouring symbols because their bits are
correlated, and the seeds, estimated from the spread over replicas.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import nctdtrinc, stdtr, stdtrit

CONFIDENCE, POWER = 0.95, 0.8
MIN_BLOCKS = 8  # fewer give no reliable estimate of their variance


@dataclass(frozen=True)
class Comparison:
    """The mean difference of two models in bits per symbol, the first less the second, with its uncertainty.

    `low` and `high` bound the 95 % interval, `p` is the two-sided p value, `minimum_detectable` the difference that is
    detected with a power of 80 %. `block` is in symbols.
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


def compare_bits(first: NDArray[Any], second: NDArray[Any], block: int | None = None) -> Comparison:
    """Compare the bits of two models for the same symbols, each of shape (replicas, symbols).

    The error from the text is that of the circular block bootstrap (Politis & Romano 1992), which for a mean has a
    closed form; that from the seeds is the error of the mean over replicas, zero for one replica. Intervals and p
    values use Student's t with the degrees of freedom of Satterthwaite (1946).
    Raise ValueError where the numbers of symbols differ, a figure is not finite, or there are fewer than 16 symbols.
    """
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"{first.shape[1]} symbols cannot be compared with {second.shape[1]}")
    bits = [np.asarray(costs, dtype=np.float64) for costs in (first, second)]
    if not all(np.isfinite(costs).all() for costs in bits):
        raise ValueError("a symbol costs infinitely many bits, or a figure is not a number")
    return _mean(bits[0].mean(0) - bits[1].mean(0), bits, block)


def estimate_interval(bits: NDArray[Any]) -> tuple[float, float]:
    """Return the 95 % interval of the mean of `bits`, (replicas, symbols), over texts and seeds, as in `compare_bits`.

    NaN where a figure is infinite or there are fewer than 16 symbols.
    """
    exact = np.asarray(bits, dtype=np.float64)
    if not np.isfinite(exact).all() or exact.shape[1] < 2 * MIN_BLOCKS:
        return math.nan, math.nan
    comparison = _mean(exact.mean(0), [exact], None)
    return comparison.low, comparison.high


def _mean(values: NDArray[np.float64], parts: Sequence[NDArray[np.float64]], block: int | None) -> Comparison:
    """Return the mean of `values`, (symbols,), from means over the replicas of `parts`, with its uncertainty."""
    symbols = len(values)
    if symbols < 2 * MIN_BLOCKS:
        raise ValueError(f"{symbols} symbols are too few to compare; {2 * MIN_BLOCKS} are needed")
    size = min(block or choose_block_length(values), symbols // MIN_BLOCKS)
    sources = [(estimate_block_variance(values, size), symbols / size - 1)]
    for part in parts:
        if len(part) > 1:
            sources.append((float(part.mean(1).var(ddof=1)) / len(part), len(part) - 1))
    return _judged(float(values.mean()), sources, size)


def _judged(difference: float, sources: Sequence[tuple[float, float]], block: int) -> Comparison:
    """Return the comparison for independent `sources`, pairs of a variance and its degrees of freedom."""
    error, freedom, wide = combine_variances(sources)
    seeds = math.sqrt(sum(part for part, _ in sources[1:]))
    if not error:  # the same bits everywhere, or differing by a constant
        p = 1.0 if difference == 0 else 0.0
        return Comparison(difference, 0.0, difference, difference, p, 0.0, block, 0.0, 0.0)
    detectable = detect_difference(error, freedom)
    p = 2 * float(stdtr(freedom, -abs(difference) / error))
    return Comparison(
        difference, error, difference - wide, difference + wide, p, detectable, block, math.sqrt(sources[0][0]), seeds
    )


def combine_variances(sources: Sequence[tuple[float, float]]) -> tuple[float, float, float]:
    """Return the standard error of a mean with independent `sources` of variance, its degrees of freedom (Satterthwaite
    1946) and half the width of its 95 % interval; a source is a variance and its degrees of freedom.
    """
    variance = sum(part for part, _ in sources)
    if not variance:
        return 0.0, math.inf, 0.0
    freedom = variance**2 / sum(part**2 / degrees for part, degrees in sources)
    error = math.sqrt(variance)
    return error, freedom, float(stdtrit(freedom, (1 + CONFIDENCE) / 2)) * error


def detect_difference(error: float, freedom: float) -> float:
    """Return the difference that a test at 5 % detects with a power of 80 %, from its standard error, degrees of
    freedom and the noncentral t distribution.
    """
    critical = float(stdtrit(freedom, (1 + CONFIDENCE) / 2))
    if freedom > 1000:  # nearly normal, and the noncentral distribution is numerically hard
        return error * (critical + float(stdtrit(freedom, POWER)))
    return error * float(nctdtrinc(freedom, 1 - POWER, critical))


def estimate_block_variance(values: NDArray[np.float64], block: int) -> float:
    """Return the variance of the mean of `values`, (n,), under the circular block bootstrap, in closed form.

    The n blocks, one from every value on and wrapping round the end, are equally likely, so the variance of the mean of
    n / block of them is the variance of a block mean divided by their number, less one for the degree of freedom of the
    mean.
    """
    symbols = len(values)
    sums = np.cumsum(np.concatenate([[0.0], values, values[: block - 1]]))
    means = (sums[block:] - sums[:-block]) / block
    blocks = symbols / block
    return float(means.var()) / (blocks - 1)


def choose_block_length(values: NDArray[np.float64]) -> int:
    """Return the block length for `values`, (n,), by Politis & White (2004), corrected by Patton et al. (2009).

    The autocorrelation is summed, with their flat-top window, up to twice the lag after which it is insignificant at
    five consecutive lags. The length is at least 1 and at most n / 8.
    """
    from statsmodels.tsa.stattools import acovf  # takes a second to load

    symbols = len(values)
    lags = min(symbols // MIN_BLOCKS, math.ceil(math.sqrt(symbols)) + 5)
    covariance = acovf(values, nlag=lags, fft=True)
    if covariance[0] <= (1e-15 * np.abs(values).max()) ** 2:  # rounding alone
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
    return int(min(max(1, math.ceil(best)), symbols // MIN_BLOCKS))


def adjust_p_values(p_values: Sequence[float]) -> list[float]:
    """Return the p values of a table adjusted for the family-wise error rate (Holm 1979)."""
    from statsmodels.stats.multitest import multipletests  # takes a second to load

    return multipletests(p_values, method="holm")[1].tolist()
