"""Sources of texts with an exactly known entropy rate, the floor of all models.

A unifilar hidden Markov source emits a symbol x with probability p(x | s) in state s, and s and x together decide the
next state. An n-gram learns such a source where the last symbols determine the state (`markov_chain`), and cannot where
they do not (`even_process`, `brackets`, `group_word`). Some symbols of a source may be answers to questions about the
state, which are scored by themselves.
"""

import inspect
import math
import string
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqlab.io.errors import InputError, quote

BRACKETS = ("()", "[]", "{}", "<>")
QUESTION_SYMBOL = "?"
MAX_POINTS = 9  # of a group, so that an answer is one digit
MAX_STATES = 4096  # the exact solutions are dense: 4096 states are 128 MiB and some seconds
_SEVERAL_CLASSES = "the source has states that never lead to one another; choose another seed or larger concentration"
QUANTILE = 1.959963984540054  # of the standard normal distribution at 97.5 %, for an interval of 95 %


@dataclass(frozen=True, eq=False)
class Source:
    """`emission[s, v]` is p(symbol v | state s), rows sum to 1; `successor[s, v]` is the state that follows.

    `alphabet` has V different characters, `emission` is float64 and `successor` int64, both of shape (S, V). Where
    `emission` is zero, `successor` may name any state. `answers` are the characters that answer a question about the
    state; most sources have none. Raises ValueError where the parts do not fit together.
    """

    alphabet: str
    emission: NDArray[np.float64]
    successor: NDArray[np.int64]
    answers: str = ""

    def __post_init__(self) -> None:
        states, symbols = self.emission.shape
        if self.successor.shape != (states, symbols) or len(self.alphabet) != symbols:
            raise ValueError("alphabet, emission and successor differ in shape")
        if len(set(self.alphabet)) != symbols:
            raise ValueError("the alphabet names a character twice")
        if not (self.emission >= 0).all() or not np.allclose(self.emission.sum(axis=1), 1, rtol=0, atol=1e-9):
            raise ValueError("a row of emission is not a distribution")
        if self.successor.min() < 0 or self.successor.max() >= states:
            raise ValueError(f"successor names a state outside 0..{states - 1}")
        if not set(self.answers) <= set(self.alphabet):
            raise ValueError(f"the alphabet lacks a character of the answers {self.answers!r}")


@dataclass(frozen=True)
class AnswerRates:
    """Exact rates of the answers of a source: answers per symbol, and bits per answer at the floor and by chance."""

    share: float
    floor: float
    chance: float


def stationary(source: Source) -> NDArray[np.float64]:
    """The stationary distribution of the states, shape (S,); exactly zero on transient states.

    Solves pi (I - P + E) = 1, E all ones, which pi P = pi and sum(pi) = 1 imply. The matrix is regular whenever the
    chain has a single recurrent class, periodic or not, where repeated multiplication by P would never settle. Raises
    InputError where there are several recurrent classes: the entropy rate would depend on the start.
    """
    transition = _transition(source)
    states = len(transition)
    try:
        solution = np.linalg.solve((np.eye(states) - transition + 1).T, np.ones(states))
    except np.linalg.LinAlgError:
        raise InputError(_SEVERAL_CLASSES) from None
    likeliest = int(solution.argmax())
    if not _reaching(source, likeliest).all():
        raise InputError(_SEVERAL_CLASSES)
    solution = np.where(_reached(source, likeliest), np.maximum(solution, 0), 0)  # rounding leaves 1e-20 elsewhere
    return solution / solution.sum()


def entropy_rate(source: Source) -> float:
    """Bits per symbol: sum_s pi_s H(p(. | s)), exact because the source is unifilar (Shannon 1948, section 7)."""
    return float(stationary(source) @ _state_entropies(source))


def rate_answers(source: Source) -> AnswerRates:
    """Return the rates of the answers of `source`; ValueError where it has none.

    The floor is the mean of -log2 p(answer | state). Chance is the entropy of the answers, the cost for a reader that
    knows when an answer comes and how often it is which, but not the state.
    """
    columns = [source.alphabet.index(answer) for answer in source.answers]
    if not columns:
        raise ValueError("the source has no answers to rate")
    start, emission = stationary(source), source.emission[:, columns]
    frequencies = start @ emission
    share = float(frequencies.sum())
    floor = -float(start @ (emission * _log2(emission)).sum(axis=1)) / share
    frequencies = frequencies / share
    return AnswerRates(share, max(0.0, floor), -float((frequencies * _log2(frequencies)).sum()))


def generate_text(source: Source, length: int, seed: int) -> str:
    """Generate a text of `length` symbols, decided by `seed` alone; its first state is drawn from the stationary
    distribution.

    So a text of brackets may close brackets that were opened before its beginning.
    """
    random = np.random.Generator(np.random.PCG64(seed))
    state = bisect_right(_cumulative(stationary(source)[None])[0], random.random())
    cumulative, successor = _cumulative(source.emission), source.successor.tolist()
    text = []
    for uniform in random.random(length).tolist():
        symbol = bisect_right(cumulative[state], uniform)  # never a symbol of probability zero
        text.append(source.alphabet[symbol])
        state = successor[state][symbol]
    return "".join(text)


def symbol_ids(source: Source, text: str) -> NDArray[np.int64]:
    """Return the index in the alphabet of every character, (len(text),); InputError for another character."""
    index = {character: number for number, character in enumerate(source.alphabet)}
    try:
        return np.array([index[character] for character in text], dtype=np.int64)
    except KeyError as error:
        raise InputError(
            f"the text holds {error.args[0]!r} at position {text.index(error.args[0])}, which is not in the alphabet "
            f"{source.alphabet!r} of the source; score the text that this source generated"
        ) from None


def symbol_bits(source: Source, symbols: NDArray[np.integer]) -> NDArray[np.float64]:
    """-log2 p(x_t | x_1 .. x_t-1) for every t, shape (T,), given `symbols`, indices in the alphabet, shape (T,).

    Exact Bayes filtering: the belief over states starts stationary and is carried by the normalised forward
    recursion (Rabiner 1989, section V.A). Once a single state is possible it stays single, and its path is looked up.
    Raises InputError naming the position, counted from 0, of a symbol that cannot follow the text before it.
    """
    symbols = np.asarray(symbols)
    if symbols.size and not 0 <= symbols.min() <= symbols.max() < len(source.alphabet):
        position = int(np.argmax((symbols < 0) | (symbols >= len(source.alphabet))))
        raise InputError(f"symbol {symbols[position]} at position {position} is not below {len(source.alphabet)}")
    belief = stationary(source)
    probability = np.empty(len(symbols))
    for position, symbol in enumerate(symbols.tolist()):
        if np.count_nonzero(belief) == 1:
            probability[position:] = _path(source, int(belief.argmax()), symbols[position:])
            break
        joint = belief * source.emission[:, symbol]
        probability[position] = joint.sum()
        if probability[position] <= 0:
            break
        belief = np.bincount(source.successor[:, symbol], joint, len(belief)) / probability[position]
    if (probability <= 0).any():
        position = int(np.argmax(probability <= 0))
        raise InputError(
            f"{source.alphabet[symbols[position]]!r} at position {position} cannot follow the text before it under "
            "this source; score the text that this source generated"
        )
    return np.maximum(-np.log2(probability), 0)


def confidence_interval(source: Source, length: int) -> tuple[float, float]:
    """Return (low, high), the range of the mean bits per symbol in 95 % of texts of `length` symbols.

    The central limit theorem for the Markov-additive functional f(s, x) = -log2 p(x | s), with its exact asymptotic
    variance. With h the entropy rate and u the solution of Poisson's equation (I - P) u = H - h, f - h + u(s') - u(s)
    is a martingale difference, so the variance is the mean of its square (Gordin & Lifsic 1978; Meyn & Tweedie 2009,
    section 17.4). u comes from the fundamental matrix (I - P + 1 pi)^-1 (Kemeny & Snell 1960), which exists for
    periodic chains too. The unknown first state costs at most -log2 pi_s bits for the whole text and is neglected.
    """
    if length < 1:
        raise ValueError(f"a text of {length} symbols has no mean")
    start, entropies = stationary(source), _state_entropies(source)
    rate = float(start @ entropies)
    potential = np.linalg.solve(np.eye(len(start)) - _transition(source) + start[None], entropies - rate)
    surplus = -_log2(source.emission) - rate + potential[source.successor] - potential[:, None]
    variance = float(start @ (source.emission * surplus**2).sum(axis=1))
    half = QUANTILE * math.sqrt(variance / length)
    return max(0.0, rate - half), rate + half


def markov_chain(order: int, symbols: int, concentration: float, seed: int) -> Source:
    """A Markov chain of `order` k over letters; states are the V^k contexts, their rows are Dirichlet(concentration).

    Small concentrations make a few symbols likely in each context and the entropy rate low.
    """
    _whole("order", order, 0, 12)
    _whole("symbols", symbols, 2, 26)
    _number("concentration", concentration, 0.01, 1000)
    _whole("seed", seed, 0, 2**63)
    contexts = _states(symbols**order, f"order {order} with {symbols} symbols")
    random = np.random.Generator(np.random.PCG64(seed))
    emission = random.dirichlet(np.full(symbols, float(concentration)), size=contexts)
    successor = (np.arange(contexts)[:, None] * symbols + np.arange(symbols)) % contexts  # the oldest symbol drops out
    return Source(string.ascii_lowercase[:symbols], emission, successor)


def even_process(probability: float = 0.5) -> Source:
    """Weiss' even process (Weiss 1973): runs of 1s between 0s have even length, so no finite context gives the state.

    `probability` is that of beginning a pair of 1s; the entropy rate is H(probability) / (1 + probability), 2/3 at 0.5.
    """
    _number("probability", probability, 0.001, 0.999)
    return Source("01", np.array([[1 - probability, probability], [0.0, 1.0]]), np.array([[0, 1], [0, 0]]))


def brackets(kinds: int, depth: int, close: float, fillers: int = 0, filling: float = 0.0) -> Source:
    """Balanced brackets of several `kinds` nested up to `depth`; states are the stacks of brackets still open.

    An empty stack opens a bracket, a full one closes, others close with probability `close`; kinds are equally likely.
    Before that choice one of `fillers` letters comes with probability `filling`, so that brackets close at larger
    distances. Stacks are numbered as a heap: above stack s, opening kind k gives s * kinds + k + 1.
    """
    _whole("kinds", kinds, 1, len(BRACKETS))
    _whole("depth", depth, 1, 64)
    _number("close", close, 0.001, 0.999)
    _whole("fillers", fillers, 0, 26)
    _number("filling", filling, 0, 0.999 if fillers else 0)
    inner = sum(kinds**level for level in range(depth))  # stacks below full depth come first
    states = _states(inner + kinds**depth, f"depth {depth} with {kinds} kinds")
    alphabet = "".join(BRACKETS[:kinds]) + string.ascii_lowercase[:fillers]
    emission, successor = np.zeros((states, len(alphabet))), np.zeros((states, len(alphabet)), dtype=np.int64)
    for state in range(states):
        closing = 0.0 if state == 0 else 1.0 if state >= inner else close
        for kind in range(kinds if state < inner else 0):
            emission[state, 2 * kind] = (1 - filling) * (1 - closing) / kinds
            successor[state, 2 * kind] = state * kinds + kind + 1
        if state:
            last = 2 * ((state - 1) % kinds) + 1
            emission[state, last] = (1 - filling) * closing
            successor[state, last] = (state - 1) // kinds
        emission[state, 2 * kinds :] = filling / max(1, fillers)
        successor[state, 2 * kinds :] = state
    return Source(alphabet, emission, successor)


def group_word(generators: list[list[int]], question: float) -> Source:
    """Words over the generators of a permutation group, with questions about the image of a point.

    `generators` are permutations of the points 1 to n, each as the list of the images of 1, 2, ..., n; they are the
    letters a, b, ..., equally likely. A letter moves a token from its point to the image of that point. With
    probability `question` the symbol ? comes instead of a letter, and after it the digit of the token's point, which
    is certain. So an answer is the image of the point of the answer before it under the product of all letters
    between. The states are the n points, reading and asked. The group must be transitive (every point reaches every
    other); an answer is then equally likely to be any point, and a model that does not track the token pays log2 n.
    """
    points = _check_generators(generators)
    _number("question", question, 0.001, 0.999)
    letters, digits = string.ascii_lowercase[: len(generators)], string.digits[1 : points + 1]
    alphabet = letters + QUESTION_SYMBOL + digits
    asking = len(letters)  # the column of the question
    emission, successor = np.zeros((2 * points, len(alphabet))), np.zeros((2 * points, len(alphabet)), dtype=np.int64)
    reading, asked = np.arange(points), np.arange(points) + points
    emission[reading, :asking] = (1 - question) / len(letters)
    successor[reading, :asking] = np.array(generators).T - 1
    emission[reading, asking] = question
    successor[reading, asking] = asked
    emission[asked, asking + 1 + reading] = 1
    successor[asked, asking + 1 + reading] = reading
    return Source(alphabet, emission, successor, digits)


def _check_generators(generators: Any) -> int:
    """Return the number of points of `generators`; InputError unless they are permutations that connect all points."""
    rule = "write each generator as the list of the images of the points 1 to n, such as [2, 1] for a swap"
    if not isinstance(generators, list) or not 1 <= len(generators) <= len(string.ascii_lowercase):
        raise InputError(f"generators is {quote(generators)}; allowed are 1 to 26 permutations: {rule}")
    points = len(generators[0]) if isinstance(generators[0], list) else 0
    if not 2 <= points <= MAX_POINTS:
        raise InputError(f"generator {quote(generators[0])} has no 2 to {MAX_POINTS} points; {rule}")
    for generator in generators:
        images = generator if isinstance(generator, list) else []
        if not all(type(image) is int for image in images) or sorted(images) != list(range(1, points + 1)):
            raise InputError(f"generator {quote(generator)} is not a permutation of the points 1 to {points}; {rule}")
    orbit, waiting = {1}, [1]
    while waiting:
        point = waiting.pop()
        reached = {generator[point - 1] for generator in generators} - orbit
        orbit |= reached
        waiting += reached
    if len(orbit) < points:
        unmoved = ", ".join(str(point) for point in range(1, points + 1) if point not in orbit)
        raise InputError(
            f"the generators are not transitive: they never move point 1 to {unmoved}; add a generator that does, or "
            "leave out the points that are never reached"
        )
    return points


_BUILDERS: tuple[Callable[..., Source], ...] = (markov_chain, even_process, brackets, group_word)
BUILDERS = {builder.__name__: builder for builder in _BUILDERS}


def build_source(settings: dict[str, Any]) -> Source:
    """Build the source BUILDERS[settings["name"]] from the other settings; InputError with key, value and choices."""
    name, arguments = settings.get("name"), {key: value for key, value in settings.items() if key != "name"}
    if name not in list(BUILDERS):  # a list, since a name from YAML may be of any type
        raise InputError(f"the name of a source is {quote(name)}; allowed are {', '.join(BUILDERS)}")
    parameters = inspect.signature(BUILDERS[name]).parameters
    allowed = ", ".join(parameters)
    for key, value in arguments.items():
        if key not in parameters:
            raise InputError(f"source {name} has no setting {key} (its value is {quote(value)}); allowed are {allowed}")
    for key, parameter in parameters.items():
        if key not in arguments and parameter.default is parameter.empty:
            raise InputError(f"source {name} lacks the setting {key}; its settings are {allowed}")
    try:
        return BUILDERS[name](**arguments)
    except InputError as error:
        raise InputError(f"source {name}: {error}") from None


def _whole(key: str, value: Any, low: int, high: int) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise InputError(f"{key} is {quote(value)}; allowed is a whole number from {low} to {high}")


def _number(key: str, value: Any, low: float, high: float) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
        raise InputError(f"{key} is {quote(value)}; allowed is a number from {low} to {high}")


def _states(number: int, size: str) -> int:
    if number > MAX_STATES:
        raise InputError(f"{size} has {number} states; allowed are at most {MAX_STATES}, so choose smaller values")
    return number


def _transition(source: Source) -> NDArray[np.float64]:
    """P[s, s'], shape (S, S)."""
    transition = np.zeros((len(source.emission),) * 2)
    np.add.at(transition, (np.arange(len(transition))[:, None], source.successor), source.emission)
    return transition


def _reached(source: Source, start: int) -> NDArray[np.bool_]:
    """Return, for each state, whether it can follow `start`, itself included."""
    reached, frontier = np.zeros(len(source.emission), dtype=bool), np.array([start])
    while frontier.size:
        reached[frontier] = True
        following = np.unique(source.successor[frontier][source.emission[frontier] > 0])
        frontier = following[~reached[following]]
    return reached


def _reaching(source: Source, goal: int) -> NDArray[np.bool_]:
    """Return, for each state, whether it can lead to `goal`, itself included."""
    reaching, before = np.arange(len(source.emission)) == goal, 0
    while reaching.sum() > before:
        before = int(reaching.sum())
        reaching |= (reaching[source.successor] & (source.emission > 0)).any(axis=1)
    return reaching


def _cumulative(rows: NDArray[np.float64]) -> list[list[float]]:
    """Cumulative sums that end at exactly 1, above every uniform number below 1."""
    sums = rows.cumsum(axis=1)
    return (sums / sums[:, -1:]).tolist()


def _path(source: Source, state: int, symbols: NDArray[np.integer]) -> NDArray[np.float64]:
    """p(x_t | s_t) along the one path from `state`, shape (T,); meaningless after an impossible symbol."""
    successor, states = source.successor.tolist(), np.empty(len(symbols), dtype=np.int64)
    for position, symbol in enumerate(symbols.tolist()):
        states[position] = state
        state = successor[state][symbol]
    return source.emission[states, symbols]


def _log2(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """log2 with 0 in place of minus infinity, for sums in which zero probabilities have no weight."""
    return np.log2(values, out=np.zeros_like(values), where=values > 0)


def _state_entropies(source: Source) -> NDArray[np.float64]:
    """H(p(. | s)) in bits, shape (S,)."""
    return -(source.emission * _log2(source.emission)).sum(axis=1)
