"""Batches of an epoch: what is trained on, how often, and in which order."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqlab.fleet.batches import (
    Batches,
    draw_epoch,
    random_batches,
    random_spans,
    random_starts,
    sequential_batches,
)
from seqlab.io.errors import InputError


@st.composite
def epochs(draw):
    """Symbols, steps and batch size of texts long enough for every offset in both modes."""
    steps, batch_size = draw(st.integers(1, 20)), draw(st.integers(1, 12))
    return draw(st.integers(max(2 * steps, steps + batch_size), 400)), steps, batch_size


seeds = st.integers(0, 2**32 - 1).map(np.random.default_rng)


def targets(batches: Batches) -> list[int]:
    """The places of all symbols that an epoch predicts."""
    pairs = zip(batches.starts.ravel(), batches.lengths.ravel(), strict=True)
    return [place for start, length in pairs for place in range(start + 1, start + 1 + length)]


@pytest.mark.parametrize("mode", ["sequential", "random"])
@given(epoch=epochs(), random=seeds)
def test_a_target_is_trained_on_at_most_once_in_an_epoch(mode, epoch, random):
    places = targets(draw_epoch(mode, *epoch, random))
    assert len(set(places)) == len(places)


@pytest.mark.parametrize("mode", ["sequential", "random"])
@given(epoch=epochs(), random=seeds)
def test_every_target_has_an_input_before_it_and_lies_in_the_text(mode, epoch, random):
    places = targets(draw_epoch(mode, *epoch, random))
    assert 1 <= min(places) <= max(places) < epoch[0]


@pytest.mark.parametrize("mode", ["sequential", "random"])
@given(epoch=epochs(), random=seeds)
def test_shapes(mode, epoch, random):
    _, _, batch_size = epoch
    batches = draw_epoch(mode, *epoch, random)
    assert batches.starts.shape == batches.lengths.shape == (len(batches.starts), batch_size)


@pytest.mark.parametrize("mode", ["sequential", "random"])
@given(epoch=epochs(), random=seeds, other=seeds)
def test_replicas_differ_by_one_batch_at_most(mode, epoch, random, other):
    batches = [len(draw_epoch(mode, *epoch, replica).starts) for replica in (random, other)]
    assert abs(batches[0] - batches[1]) <= 1


@pytest.mark.parametrize("mode", ["sequential", "random"])
@given(epoch=epochs(), random=seeds)
def test_offset_is_below_the_number_of_steps(mode, epoch, random):
    _, steps, _ = epoch
    assert 1 <= min(targets(draw_epoch(mode, *epoch, random))) <= steps


@pytest.mark.parametrize("mode", ["sequential", "random"])
def test_every_offset_occurs(mode):
    random = np.random.default_rng(1)
    offsets = {min(targets(draw_epoch(mode, 40, 7, 3, random))) - 1 for _ in range(200)}
    assert offsets == set(range(7))


@pytest.mark.parametrize("mode", ["sequential", "random"])
@given(epoch=epochs(), seed=st.integers(0, 1000))
def test_the_same_seed_gives_the_same_batches(mode, epoch, seed):
    one, other = (draw_epoch(mode, *epoch, np.random.default_rng(seed)) for _ in range(2))
    assert np.array_equal(one.starts, other.starts)
    assert np.array_equal(one.lengths, other.lengths)


@given(epochs(), seeds)
def test_random_batches_hold_all_subsequences_of_their_offset(epoch, random):
    symbols, steps, batch_size = epoch
    batches = random_batches(symbols, steps, batch_size, random)
    starts = sorted(batches.starts[batches.lengths > 0].tolist())
    assert starts == random_starts(symbols, steps, starts[0]).tolist()


@given(epochs(), seeds)
def test_random_subsequences_are_whole_and_only_the_last_batch_has_gaps(epoch, random):
    _, steps, batch_size = epoch
    lengths = random_batches(*epoch, random).lengths.ravel()
    present = int((lengths > 0).sum())
    assert lengths.tolist() == [steps] * present + [0] * (len(lengths) - present)
    assert len(lengths) - present < batch_size


def test_random_batches_come_in_random_order():
    starts = random_batches(1000, 5, 10, np.random.default_rng(1)).starts.ravel()
    assert (np.diff(starts[:-10]) < 0).any()


@given(epochs(), seeds)
def test_a_stream_goes_on_where_its_last_batch_ended(epoch, random):
    batches = sequential_batches(*epoch, random)
    assert np.array_equal(batches.starts[1:], batches.starts[:-1] + batches.lengths[:-1])


@given(epochs(), seeds)
def test_all_batches_of_streams_but_the_last_are_whole(epoch, random):
    _, steps, _ = epoch
    lengths = sequential_batches(*epoch, random).lengths
    assert (lengths[:-1] == steps).all()
    assert (lengths[-1] == lengths[-1, 0]).all()
    assert 1 <= lengths[-1, 0] <= steps


@given(epochs(), seeds)
def test_streams_leave_out_fewer_symbols_at_the_end_than_there_are_streams(epoch, random):
    symbols, _, batch_size = epoch
    places = sorted(targets(sequential_batches(*epoch, random)))
    assert places == list(range(places[0], places[-1] + 1))
    assert symbols - 1 - places[-1] < batch_size


def test_the_sequential_example_of_the_documentation():
    class FirstOffset:
        def integers(self, high):
            return 1

    batches = sequential_batches(12, 2, 2, FirstOffset())
    assert batches.starts[:2].tolist() == [[1, 6], [3, 8]]


@pytest.mark.parametrize("offset", [-1, 5])
def test_an_offset_outside_is_refused(offset):
    with pytest.raises(ValueError, match=f"offset {offset} is outside"):
        random_starts(100, 5, offset)


def test_a_text_without_one_subsequence_is_refused():
    with pytest.raises(InputError, match=r"the training text has 5 symbols.*rnn\.training\.steps"):
        random_starts(5, 5, 0)


def test_a_text_of_exactly_one_subsequence_is_taken():
    assert random_starts(6, 5, 0).tolist() == [0]


def test_a_text_too_short_for_its_streams_is_refused():
    with pytest.raises(InputError, match=r"the training text has 8 symbols.*8 parallel.*rnn\.training\.batch_size"):
        sequential_batches(8, 1, 8, np.random.default_rng(1))


def test_a_text_of_one_target_for_each_stream_is_taken():
    assert sequential_batches(9, 1, 8, np.random.default_rng(1)).lengths.tolist() == [[1] * 8]


@given(epoch=epochs(), random=seeds, number=st.integers(0, 1000))
def test_random_spans_cut_the_same_streams_elsewhere(epoch, random, number):
    state = random.bit_generator.state
    spans = random_spans(*epoch, number)
    assert spans.min() >= epoch[1] / 2 and spans.max() <= epoch[1]
    cut = draw_epoch("sequential", *epoch, random, spans)
    random.bit_generator.state = state
    assert sorted(targets(cut)) == sorted(targets(draw_epoch("sequential", *epoch, random)))
    assert (cut.lengths[:-1] == spans[: len(cut.lengths) - 1, None]).all()
    assert (cut.starts[1:] == cut.starts[:-1] + cut.lengths[:-1]).all()
