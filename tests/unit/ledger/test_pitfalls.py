"""Known ways to print a wrong perplexity, each made on purpose, and what seqlab does instead."""

import math

import numpy as np
import pytest
import torch

from seqlab.io.runs import SPLIT_NAMES
from seqlab.ledger.mixture import mixture_bits
from seqlab.ledger.perplexity import compute_figures, perplexity, tabulate_scores
from seqlab.ledger.selection import standing_of
from seqlab.ngram.model import symbol_probabilities
from seqlab.ngram.smoothing import estimate
from seqlab.rnn.model import NetworkModel
from seqlab.rnn.network import Architecture
from seqlab.rnn.scoring import stream_bits
from seqlab.text.splits import cut_text, describe_splits
from seqlab.text.vocab import Vocab

RANDOM = np.random.default_rng(7)
TEXT = RANDOM.integers(0, 5, 101)
ARCHITECTURE = Architecture("gru", 1, 6, 5)
PARAMETERS = {name: 3 * value for name, value in ARCHITECTURE.initial_parameters([1]).items()}
BITS = stream_bits(ARCHITECTURE, PARAMETERS, [TEXT])[0]


def test_perplexities_of_batches_are_not_averaged():
    batches = BITS.reshape(10, 10)
    wrong = np.mean([perplexity(batch) for batch in batches])
    assert perplexity(BITS) == pytest.approx(2 ** batches.mean()) and wrong > perplexity(BITS) * 1.001


def test_a_ragged_tail_is_not_dropped():
    steps = 30
    wrong = BITS[: len(BITS) // steps * steps]
    assert len(BITS) == len(TEXT) - 1
    assert perplexity(wrong) != pytest.approx(perplexity(BITS), rel=1e-4)


def test_the_total_is_divided_by_what_was_charged_not_by_the_length_of_the_text():
    counts = {"scored": 100, "unknown": 0, "characters": 100, "bytes": 100, "words": 1}
    assert compute_figures(BITS, counts)["bits_per_symbol"] == pytest.approx(BITS.sum() / (len(TEXT) - 1))
    with pytest.raises(ValueError, match="100 bits for 101 symbols"):
        compute_figures(BITS, counts | {"scored": len(TEXT)})


def test_padding_is_not_charged():
    short, long = TEXT[:5], TEXT[:40]
    model = NetworkModel(ARCHITECTURE, PARAMETERS, [1])
    together = model.score_stretches([short, long])
    assert [bits.shape[1] for bits in together] == [4, 39]
    assert together[0] == pytest.approx(model.score_stretches([short])[0], rel=1e-5)


def test_dropout_is_off_when_a_text_is_scored():
    torch.manual_seed(1)
    symbols = torch.as_tensor(TEXT)[None, None, :-1]
    state = ARCHITECTURE.zero_state(PARAMETERS, 1)
    dropped, _ = ARCHITECTURE.forward(PARAMETERS, symbols, state, drop=torch.nn.Dropout(0.5))
    wrong = -dropped[:, 0, 0].log_softmax(-1)[range(100), TEXT[1:]].numpy() / math.log(2)
    assert perplexity(wrong) != pytest.approx(perplexity(BITS), rel=1e-2)
    assert (stream_bits(ARCHITECTURE, PARAMETERS, [TEXT])[0] == BITS).all()


@pytest.mark.parametrize("chunk", [1, 7, 64, 1000])
def test_the_length_of_a_chunk_does_not_change_the_result(chunk):
    assert stream_bits(ARCHITECTURE, PARAMETERS, [TEXT], chunk)[0] == pytest.approx(BITS, rel=1e-4)


def test_the_vocabulary_is_not_taken_from_test():
    split = {"kind": "contiguous", "train": 0.6, "valid": 0.2, "test": 0.2}
    text = "ab" * 30 + "ab" * 10 + "xy" * 10
    tokens, segments = cut_text(text, "char", split)
    vocab = Vocab(tokens[: segments["train"][0][1]])
    splits = describe_splits("contiguous", segments, vocab.encode(tokens), tokens, "char")["splits"]
    assert "x" not in vocab and splits["test"]["unknown"] == splits["test"]["scored"]
    assert [splits[name]["unknown"] for name in SPLIT_NAMES[:2]] == [0, 0]


def test_perplexity_does_not_depend_on_the_base_of_the_logarithm():
    nats = BITS * math.log(2)
    assert math.exp(nats.mean()) == pytest.approx(perplexity(BITS)) != pytest.approx(2 ** nats.mean(), rel=1e-2)


def test_the_start_of_a_line_is_not_charged_and_its_end_is():
    """Lines `<s> a b </s>`: three symbols are charged for each, and what opens a line costs nothing."""
    start, end, lines = 1, 2, [[3, 4], [4, 4], [3, 3]]
    segments = [np.array([start, *line, end]) for line in lines]
    model = estimate("mkn", segments, 2, 5, line_start=start).model
    probability = symbol_probabilities(model, segments)
    assert len(probability) == 3 * len(lines)
    assert model.probability[0][start] == 0 and model.probability[0][end] > 0


def test_the_future_does_not_change_what_was_charged_before():
    later = np.where(np.arange(len(TEXT)) < 60, TEXT, (TEXT + 1) % 5)
    wrong = BITS - BITS.mean()  # centred on the mean of a chunk, which holds the future
    bits = stream_bits(ARCHITECTURE, PARAMETERS, [later])[0]
    np.testing.assert_array_equal(bits[:59], BITS[:59])
    assert np.abs((bits - bits.mean())[:59] - wrong[:59]).max() > 1e-6


def test_probabilities_of_a_mixture_are_averaged_and_not_added():
    model = NetworkModel(ARCHITECTURE, PARAMETERS, [1])
    ngram = estimate("wb", [TEXT], 3, 5).model
    context = TEXT[:20].tolist()
    parts = np.stack([model.read(context).probability[0], ngram.read(context).probability[0]])
    bits = np.stack([mixture_bits(-np.log2(parts[:, [symbol]]), np.array([0.3, 0.7])) for symbol in range(5)])
    assert np.exp2(-bits).sum() == pytest.approx(1, abs=1e-6)
    assert parts.sum() == pytest.approx(2, abs=1e-6)  # the sum of the parts is no distribution


def test_the_best_seed_is_not_the_result():
    bits = np.stack([BITS, BITS + 0.2, BITS + 0.4])
    counts = {"scored": 100, "unknown": 0, "characters": 100, "bytes": 100, "words": 20}
    splits = {"splits": dict.fromkeys(("valid", "test"), counts)}
    rows = tabulate_scores({"valid": bits, "test": bits}, splits, [1, 2, 3])
    standing, _ = standing_of({"scores": rows, "model": "gru-1x6"})
    assert standing == pytest.approx(np.mean([perplexity(row) for row in bits]))
    assert standing > perplexity(BITS) * 1.1
