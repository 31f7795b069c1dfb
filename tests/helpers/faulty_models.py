"""A fair bigram model, and models with one fault each that make its perplexity wrong."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from seqlab.audit.candidate import ModelCandidate
from seqlab.audit.subject import Subject
from seqlab.ngram.smoothing import estimate

NAMES = ["<unk>", *"abcde"]
UNKNOWN, A, B, C, D, E = range(6)
VOCABULARY = len(NAMES)
TRAIN = np.random.default_rng(5).choice([A, B, C, D, E], 3000, p=[0.4, 0.3, 0.15, 0.1, 0.05])
TEXT = np.random.default_rng(6).choice([A, B, C, D, E], 600, p=[0.4, 0.3, 0.15, 0.1, 0.05])
MODEL = estimate("mkn", [TRAIN], 2, VOCABULARY).model
CHUNK = 8


class Fair(ModelCandidate):
    """A bigram model that keeps every law; the faults below change one method."""

    def __init__(self) -> None:
        super().__init__(list(NAMES), MODEL)

    def read_places(self, text: Sequence[int], places: Sequence[int]) -> list[np.ndarray]:
        return [self.log2_probabilities(list(text[:place])) for place in places]

    def step_bits(self, ids: Sequence[int]) -> np.ndarray:
        """The bits that `log2_probabilities` gives."""
        return np.array([-self.log2_probabilities(list(ids[:t]))[ids[t]] for t in range(1, len(ids))])


class LookAhead(Fair):
    """The next but one symbol helps: its bits become lower where the symbol after it is the same."""

    def bits(self, ids):
        bits = super().bits(ids)
        return bits * np.where(np.append(np.diff(ids[1:]) == 0, False), 0.5, 1.0)


class TemperatureFittedOnTest(Fair):
    """The distribution is sharpened by what fits the whole text best."""

    def bits(self, ids):
        logarithms = np.stack([self.log2_probabilities([symbol]) for symbol in ids[:-1]])
        return min((self._sharpened(logarithms, ids, power) for power in np.linspace(0.5, 1.5, 101)), key=np.sum)

    def _sharpened(self, logarithms, ids, power):
        scores = np.exp2(power * logarithms)
        return -np.log2(scores[range(len(ids) - 1), ids[1:]] / scores.sum(1))


class UnnormalisedCache(Fair):
    """Counts of a hashed cache are added to the probabilities and nothing is taken away."""

    def log2_probabilities(self, prefix):
        cache = np.bincount(prefix[-20:], minlength=VOCABULARY) / 20
        return np.log2(np.exp2(super().log2_probabilities(prefix)) + 0.5 * cache)

    def bits(self, ids):
        return self.step_bits(ids)


class UnknownGivenTwice(Fair):
    """`<unk>` has the mass that is left, and gets it once more."""

    def log2_probabilities(self, prefix):
        probability = np.exp2(super().log2_probabilities(prefix))
        probability[UNKNOWN] *= 2
        return np.log2(probability)

    def bits(self, ids):
        return self.step_bits(ids)


class CacheUpdatedFirst(Fair):
    """The cache of past symbols holds the symbol before that is scored; the distribution does not."""

    def mixed(self, prefix, cached):
        cache = (1 + np.bincount(cached[-20:], minlength=VOCABULARY)) / (len(cached[-20:]) + VOCABULARY)
        return np.log2(0.7 * np.exp2(super().log2_probabilities(prefix)) + 0.3 * cache)

    def log2_probabilities(self, prefix):
        return self.mixed(prefix, prefix)

    def bits(self, ids):
        return np.array([-self.mixed(ids[:t], ids[: t + 1])[ids[t]] for t in range(1, len(ids))])


class BestOfTwoPasses(Fair):
    """A second pass, which has learnt from the first, replaces the costs where it is better."""

    def bits(self, ids):
        counts = 1.0 + np.bincount(ids, minlength=VOCABULARY)
        return np.minimum(super().bits(ids), -np.log2(counts / counts.sum())[ids[1:]])


class Learner(Fair):
    """A model that learns from the text: every symbol takes a gradient step on the logits, after it is scored."""

    RATE = 0.5

    def learn(self, ids: Sequence[int]) -> np.ndarray:
        """Probabilities before each symbol but the first and after the last, (symbols, V)."""
        logits, shares = np.zeros(VOCABULARY), [np.full(VOCABULARY, 1 / VOCABULARY)]
        for symbol in ids[1:]:
            logits -= self.RATE * shares[-1]
            logits[symbol] += self.RATE
            weights = np.exp(logits)
            shares.append(weights / weights.sum())
        return np.array(shares)

    def log2_probabilities(self, prefix):
        return np.log2(self.learn(prefix)[-1])

    def bits(self, ids):
        return -np.log2(self.learn(ids)[np.arange(len(ids) - 1), ids[1:]])

    def score_together(self, texts):
        return [self.bits(text.tolist()) for text in texts]


class ScoredAfterLearning(Learner):
    """A symbol is scored after the gradient step that it takes (parameter-golf 1240)."""

    def bits(self, ids):
        return -np.log2(self.learn(ids)[np.arange(1, len(ids)), ids[1:]])


class SeveralPasses(Learner):
    """The text is scored in the last of three passes over it, which learn from each other."""

    def bits(self, ids):
        return super().bits([*ids, *ids[1:], *ids[1:]])[1 - len(ids) :]


class FirstSymbolCharged(Fair):
    """The first symbol, which is context only, is charged as well."""

    def bits(self, ids):
        return np.append(2.0, super().bits(ids))


class ChunkMean(Fair):
    """Every symbol of a chunk is charged the mean of the chunk."""

    def bits(self, ids):
        bits = super().bits(ids)
        chunks = np.split(bits, range(CHUNK, len(bits), CHUNK))
        return np.concatenate([np.full(len(chunk), chunk.mean()) for chunk in chunks])


class PaddingCounted(Fair):
    """The texts of a batch are padded, and the cost of the padding is added to their last symbol."""

    def score_together(self, texts):
        longest = max(map(len, texts))
        scored = super().score_together(texts)
        return [np.append(bits[:-1], bits[-1] + longest - len(text)) for bits, text in zip(scored, texts, strict=True)]


class StateLostBetweenChunks(Fair):
    """The context is forgotten at the start of every chunk."""

    def bits(self, ids):
        bits = super().bits(ids)
        for place in range(CHUNK, len(bits), CHUNK):
            bits[place] = -self.log2_probabilities([UNKNOWN])[ids[place + 1]]
        return bits


class HalfPrecision(Fair):
    """The product of many small factors underflows to zero in float16, in the fast form only."""

    def bits(self, ids):
        with np.errstate(divide="ignore"):
            return -np.log2((np.exp2(-super().bits(ids)) * 1e-7).astype(np.float16).astype(float) / 1e-7)


class TemperatureInOneForm(Fair):
    """A temperature is applied where texts are scored, and not in the distribution."""

    def bits(self, ids):
        logarithms = 1.2 * np.stack([self.log2_probabilities([symbol]) for symbol in ids[:-1]])
        logarithms -= np.log2(np.exp2(logarithms).sum(1))[:, None]
        return -logarithms[range(len(ids) - 1), ids[1:]]


class RareSymbolsGetNothing(Fair):
    """A smoothing that leaves nothing for the rarest symbol of train."""

    def log2_probabilities(self, prefix):
        probability = np.exp2(super().log2_probabilities(prefix))
        probability[E] = 0
        with np.errstate(divide="ignore"):
            return np.log2(probability / probability.sum())

    def bits(self, ids):
        return self.step_bits(ids)


class DropoutLeftOn(Fair):
    """Some probabilities are perturbed at random, in a different way in every call."""

    def __init__(self) -> None:
        super().__init__()
        self.random: Any = np.random.default_rng(7)

    def log2_probabilities(self, prefix):
        probability = np.exp2(super().log2_probabilities(prefix)) * self.random.choice([0.5, 1.0], VOCABULARY)
        return np.log2(probability / probability.sum())

    def bits(self, ids):
        return self.step_bits(ids)

    __setattr__ = object.__setattr__


class StateCarriedAcrossTexts(Fair):
    """The first symbol of a text is predicted from the last of the text before."""

    def __init__(self) -> None:
        super().__init__()
        self.last: int = UNKNOWN

    def bits(self, ids):
        bits = super().bits(ids)
        bits[0] = -np.log2(np.exp2(self.log2_probabilities([self.last])) @ np.eye(VOCABULARY)[ids[1]])
        self.last = ids[-1]
        return bits

    __setattr__ = object.__setattr__


SUBJECT = Subject(Fair(), TEXT, train=TRAIN)
WORDS = ["é b"] * 10
# the counts of pieces of a byte-pair encoding that write the blank twice
PIECES = {"characters": 30, "bytes": 50, "words": 20}
FAULTS: dict[str, tuple[str, Subject]] = {  # name of the fault -> the law that it breaks, and the model with it
    "look-ahead by one symbol": ("causal", replace(SUBJECT, candidate=LookAhead())),
    "temperature fitted on test": ("causal", replace(SUBJECT, candidate=TemperatureFittedOnTest())),
    "chunk mean used inside the chunk": ("causal", replace(SUBJECT, candidate=ChunkMean())),
    "unnormalised hash cache": ("normalised", replace(SUBJECT, candidate=UnnormalisedCache())),
    "<unk> given what is left twice": ("normalised", replace(SUBJECT, candidate=UnknownGivenTwice())),
    "cache updated before scoring": ("fixed before it is read", replace(SUBJECT, candidate=CacheUpdatedFirst())),
    "best of two passes": ("one pass", replace(SUBJECT, candidate=BestOfTwoPasses())),
    "scored after learning": ("fixed before it is read", replace(SUBJECT, candidate=ScoredAfterLearning())),
    "the last of three passes": ("one pass", replace(SUBJECT, candidate=SeveralPasses())),
    "first symbol charged": ("one pass", replace(SUBJECT, candidate=FirstSymbolCharged())),
    "padding counted": ("same for every chunk", replace(SUBJECT, candidate=PaddingCounted())),
    "state lost between chunks": ("bits of that distribution", replace(SUBJECT, candidate=StateLostBetweenChunks())),
    "float16 underflow": ("bits of that distribution", replace(SUBJECT, candidate=HalfPrecision())),
    "temperature in one form": ("bits of that distribution", replace(SUBJECT, candidate=TemperatureInOneForm())),
    "ledger of another model": ("bits of that distribution", replace(SUBJECT, ledger=np.ones(len(TEXT) - 1))),
    "bytes counted from pieces": ("denominators", replace(SUBJECT, divisors=PIECES, scored_texts=WORDS)),
    "nothing left for rare symbols": ("vocabulary", replace(SUBJECT, candidate=RareSymbolsGetNothing())),
    "vocabulary from test": ("vocabulary", replace(SUBJECT, train=TRAIN[TRAIN != E])),
    "dropout left on": ("deterministic", replace(SUBJECT, candidate=DropoutLeftOn())),
    "state carried across texts": ("deterministic", replace(SUBJECT, candidate=StateCarriedAcrossTexts())),
    "below the entropy of the source": (
        "not below the floor",
        replace(SUBJECT, test_bits=np.full(len(TEXT) - 1, 2.0), floor_bits=2.1 + TEXT[1:] % 2),
    ),
}
