"""Pruning of n-gram models by relative entropy or by counts."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError
from seqlab.ngram.model import BackoffModel

SUM_ERROR = 1e-12  # rounding error of a sum of probabilities


def prune_model(
    model: BackoffModel, minimum: dict[str, Any], count: Callable[[], Sequence[NDArray[np.integer]]]
) -> BackoffModel:
    """Prune `model` by `minimum`: {"entropy": threshold} or {"counts": [minimum of each order]}.

    The last minimum count holds for all longer n-grams too. `count` returns the counts for `prune_by_count` and is
    called for that alone. Raises InputError as `prune_by_count` and `prune_by_relative_entropy`.
    """
    if "entropy" in minimum:
        return prune_by_relative_entropy(model, minimum["entropy"])
    least = minimum["counts"]
    return prune_by_count(model, count(), least + [least[-1]] * (model.order - len(least)))


def prune_by_relative_entropy(model: BackoffModel, threshold: float, line_start: int | None = None) -> BackoffModel:
    """Remove the n-grams whose removal raises the perplexity by a share below `threshold` (Stolcke 1998).

    `threshold` has no unit: 1e-7 removes n-grams that cost less than a ten-millionth of the perplexity; 0 removes none.
    Contexts of longer kept n-grams are kept. Each n-gram is judged by `perplexity_increases` of the full model, as if
    it alone were removed. The result keeps all unigrams; its order is that of its longest n-gram, which may be lower.
    The lower orders of Kneser-Ney are poor estimates of the frequency of a history, so that it loses more than other
    smoothings (Chelba et al. 2010). Raises InputError for a negative threshold or NaN, and for what
    `perplexity_increases` refuses.
    """
    if not threshold >= 0:  # true for NaN as well
        raise InputError(f"the pruning threshold is {threshold}; it must be at least 0")
    return renormalise(
        keep_ngrams(model, [~(increase < threshold) for increase in perplexity_increases(model, line_start)])
    )


def prune_by_count(model: BackoffModel, counts: Sequence[NDArray[Any]], minimum: Sequence[int]) -> BackoffModel:
    """Remove the n-grams of order k seen fewer than `minimum[k - 1]` times.

    `counts` has one array per order, as in `OrderCounts.count`: occurrences, of shape (n-grams of that order,). All
    unigrams and the contexts of longer kept n-grams are kept. The order of the result is that of its longest n-gram,
    which may be lower. Raises InputError for a minimum below 1, for counts or minimums of another model, and for a
    model that does not back off.
    """
    _check_backs_off(model)
    for k, least in enumerate(minimum, start=1):
        if least < 1:
            raise InputError(f"the minimum count of order {k} is {least}; it must be at least 1")
    if len(minimum) != model.order:
        raise InputError(
            f"the model has order {model.order}, but {len(minimum)} minimum counts; give one for each order"
        )
    if [len(count) for count in counts] != [len(key) for key in model.key]:
        raise InputError("the counts are not those of the model's n-grams; count the text it was trained on")
    return renormalise(keep_ngrams(model, [count >= least for count, least in zip(counts, minimum, strict=True)]))


def renormalise(model: BackoffModel) -> BackoffModel:
    """Set the back-off weights so that the probabilities after every context sum to 1.

    The weight of a context h is (1 - sum of p(w | h)) / (1 - sum of p(w | h without its first symbol)), both sums over
    the w kept after h (Katz 1987); it is 1 where none is kept. Raises InputError for a model that does not back off.
    """
    _check_backs_off(model)
    result = replace(model, backoff=[])
    endings = [np.arange(model.vocabulary)]
    for k in range(2, model.order + 1):
        lower, endings = _after_shorter(result, k, endings)
        context, weights = model.key[k - 1] // model.vocabulary, model.backoff[k - 2]
        left = 1 - np.bincount(context, model.probability[k - 1], len(weights))
        room = 1 - np.bincount(context, lower, len(weights))
        # Where almost nothing is left, the difference is rounding, which may be negative or make impossible symbols
        # possible. There the old weight is kept, as far as the sum stays 1.
        is_exact = (left > SUM_ERROR) & (room > 0)
        weight = np.minimum(weights, SUM_ERROR / np.maximum(room, SUM_ERROR))
        np.divide(left, room, out=weight, where=is_exact)
        result.backoff.append(weight)  # 1 / 1 where nothing is kept
    return result


def perplexity_increases(model: BackoffModel, line_start: int | None = None) -> list[NDArray[np.float64]]:
    """Share by which the perplexity grows if one n-gram alone is removed, for every n-gram; (G,) per order.

    This is exp(D) - 1, where D is the relative entropy in nats between the model with and without the n-gram (Stolcke
    1998): the change after its context h, where the back-off weight is made to fit, times the probability of h, a
    product of the model's probabilities along h. Unigrams cannot be removed and have infinity. In line-wise models
    `line_start` is the index of `<s>`. It is never predicted, and as a history it is as probable as the end of a line:
    the likeliest of the symbols without successors. Without it, a history at the start of a line has probability 0, and
    removing its successors costs nothing. Raises InputError for a model that does not back off and for a `line_start`
    outside the vocabulary.
    """
    _check_backs_off(model)
    history = _start_of_histories(model, line_start)
    endings = [np.arange(model.vocabulary)]
    increases = [np.full(model.vocabulary, np.inf)]
    for k in range(2, model.order + 1):
        lower, endings = _after_shorter(model, k, endings)
        change = _change_after_context(model, k, lower)
        of_context = history[model.key[k - 1] // model.vocabulary]
        divergence = np.zeros_like(change)
        np.multiply(of_context, change, out=divergence, where=of_context > 0)  # 0 times infinity counts as 0
        increases.append(np.expm1(np.maximum(divergence, 0)))  # rounding may leave it below its bound
        history = of_context * model.probability[k - 1]
    return increases


def _start_of_histories(model: BackoffModel, line_start: int | None) -> NDArray[np.float64]:
    """The probability of every symbol as the first of a history."""
    probability = model.probability[0].copy()
    if line_start is None:
        return probability
    if not 0 <= line_start < model.vocabulary:
        raise InputError(
            f"line_start is {line_start}; it must be an index below the size of the vocabulary, {model.vocabulary}"
        )
    if model.order > 1:
        followed = np.bincount(model.key[1] // model.vocabulary, minlength=model.vocabulary) > 0
        # Lines start as often as they end. Unseen symbols have no successors either, but are less likely.
        probability[line_start] = np.where(followed, 0.0, probability).max()
    return probability


def _change_after_context(model: BackoffModel, k: int, lower: NDArray[np.float64]) -> NDArray[np.float64]:
    """Relative entropy, in nats, between p(. | h) with and without each n-gram (h, w) of order k; shape (G,).

    `lower` is p(w | h without its first symbol). Infinite where w would become impossible.
    """
    context, probability = model.key[k - 1] // model.vocabulary, model.probability[k - 1]
    weight = model.backoff[k - 2][context]
    room = np.maximum(1 - np.bincount(context, lower, len(model.backoff[k - 2])), 0)[context]
    left = weight * room  # of the symbols not kept after h: exact even where 1 - sum of p(w | h) is rounding
    with np.errstate(divide="ignore", invalid="ignore"):
        raised = (left + probability) / (room + lower)  # the back-off weight without the n-gram
        own_change = probability * (np.log(probability) - np.log(raised * lower))
        other_change = left * (np.log(weight) - np.log(raised))
    # 0 log 0 is 0
    own_change = np.where(probability > 0, np.where(lower > 0, own_change, np.inf), 0.0)
    return own_change + np.where(left > 0, other_change, 0.0)


def _after_shorter(
    model: BackoffModel, k: int, endings: list[NDArray[np.int64]]
) -> tuple[NDArray[np.float64], list[NDArray[np.int64]]]:
    """Return, for every n-gram of order k, the probability of its last symbol after the context without its first
    symbol, and its endings.

    `endings` are those of the order below: entry m - 1 has, for every n-gram, the number of its last m symbols in the
    table of order m, or -1. An ending may be missing while the n-gram or a longer ending is kept. Only the back-off
    weights of contexts shorter than k - 1 are read.
    """
    context, symbol = np.divmod(model.key[k - 1], model.vocabulary)
    probability = model.probability[0][symbol]
    numbers = [symbol]
    for m in range(2, k):
        shorter = endings[m - 2][context]
        number = model.find(m, shorter, symbol)
        weight = np.where(shorter >= 0, model.backoff[m - 2][shorter], 1.0)
        probability = np.where(number >= 0, model.probability[m - 1][number], weight * probability)
        numbers.append(number)
    return probability, [*numbers, np.arange(len(context))]


def keep_ngrams(model: BackoffModel, selected: Sequence[NDArray[np.bool_]]) -> BackoffModel:
    """Return the `selected` n-grams, (G,) for every order, with their contexts and all unigrams, unchanged."""
    masks = [mask.copy() for mask in selected]
    masks[0][:] = True
    for k in range(model.order, 1, -1):
        masks[k - 2][model.key[k - 1][masks[k - 1]] // model.vocabulary] = True
    order = sum(bool(mask.any()) for mask in masks)  # an order without n-grams has none above it

    key = [model.key[0]]
    for k in range(2, order + 1):
        context, symbol = np.divmod(model.key[k - 1][masks[k - 1]], model.vocabulary)
        rank = np.cumsum(masks[k - 2]) - 1  # the new number of every n-gram of the order below
        key.append(rank[context] * model.vocabulary + symbol)  # still sorted: the ranks keep their order
    return replace(
        model,
        key=key,
        probability=[model.probability[k][masks[k]] for k in range(order)],
        backoff=[model.backoff[k][masks[k]] for k in range(order - 1)],
    )


def _check_backs_off(model: BackoffModel) -> None:
    if not model.backs_off:
        raise InputError("only a model that backs off to shorter contexts can be pruned; choose another smoothing")
