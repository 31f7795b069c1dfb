"""One network under the protocols of others."""

import numpy as np
import pytest

from seqlab.questions.protocols import cut_lines, cut_windows, score_protocols
from seqlab.rnn.model import NetworkModel
from seqlab.rnn.network import Architecture
from seqlab.rnn.scoring import stream_bits

NEWLINE = 0
RANDOM = np.random.default_rng(5)
TEXT = [np.array([2, 1, 0, 3, 3, 0, 0, 1]), RANDOM.integers(1, 5, 60)]
ARCHITECTURE = Architecture("lstm", 2, 6, 5)
PARAMETERS = {name: 3 * value for name, value in ARCHITECTURE.initial_parameters([1, 2]).items()}
MODEL = NetworkModel(ARCHITECTURE, PARAMETERS, [1, 2])


def scored(newline: int | None = NEWLINE, segments=TEXT, steps: int = 7) -> dict:
    stream = stream_bits(ARCHITECTURE, PARAMETERS, segments)
    rows = score_protocols("lstm-2x6", stream, segments, MODEL.score_stretches, steps, 4, 100, newline)
    return {row.protocol: row for row in rows}


def test_stretches_of_any_length_are_scored_as_texts_of_their_own():
    stretches = [RANDOM.integers(0, 5, length) for length in (9, 2, 30, 9, 17)]
    for stretch, bits in zip(stretches, MODEL.score_stretches(stretches), strict=True):
        assert bits == pytest.approx(stream_bits(ARCHITECTURE, PARAMETERS, [stretch]), rel=1e-4)


def test_every_symbol_is_in_one_line_and_opens_with_the_line_end_before():
    assert [line.tolist() for line in cut_lines(TEXT[:1], NEWLINE)] == [[2, 1, 0], [0, 3, 3, 0], [0, 0], [0, 1]]


def test_every_symbol_is_in_one_window_the_ragged_tail_too():
    windows = cut_windows(TEXT, 7)
    charged = np.concatenate([window[1:] for window in windows])
    assert charged.tolist() == np.concatenate([segment[1:] for segment in TEXT]).tolist()
    assert max(map(len, windows)) == 8


def test_stream_lines_and_disjoint_windows_charge_the_same_symbols():
    found = scored()
    charged = {name: one.symbols for name, one in found.items()}
    whole = sum(len(segment) - 1 for segment in TEXT)
    assert charged["stream"] == charged["a new state for every line"] == charged["disjoint windows of 7"] == whole
    assert found["stream"].gap == 0
    window, stream = found["disjoint windows of 7"], found["stream"]
    assert window.gap == window.bits_per_symbol - stream.bits_per_symbol


def test_a_window_as_long_as_the_text_is_the_stream():
    found = scored(None, TEXT[1:], steps=59)
    assert found["disjoint windows of 59"].bits_per_symbol == pytest.approx(found["stream"].bits_per_symbol, rel=1e-5)


def test_the_mean_of_batches_is_not_two_to_the_mean():
    overlapping = scored()["overlapping windows of 7, mean of batches"]
    assert overlapping.perplexity > 2**overlapping.bits_per_symbol * 1.0001


def test_without_line_ends_and_whole_windows_these_protocols_are_left_out():
    assert list(scored(None)) == [name for name in scored() if "line" not in name]
    assert list(scored(NEWLINE, [np.array([1, 2, 3])])) == ["stream", "disjoint windows of 7"]
