"""Models of other programs in an experiment: vocabularies, scores, and sentences about unusable ones."""

import numpy as np
import pytest
from faulty_models import Fair, TemperatureInOneForm

from seqlab.audit.candidate import charge_bits
from seqlab.audit.external import ABSENT, charge_segments, match_vocabulary, open_external, translate_segments
from seqlab.audit.foreign import Limits
from seqlab.io.errors import InputError

TOKENS = ["<unk>", "a", "b"]
SEGMENTS = [np.array([1, 2, 3, 1, 2]), np.array([4, 1, 2])]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["<unk>", "a", "b"], [0, 1, 2]),
        (["b", "a", "<unk>"], [2, 1, 0]),
        (["b", "a"], [ABSENT, 1, 0]),
        (["<s>", "a", "</s>", "b", "<unk>"], [4, 1, 3]),
    ],
)
def test_symbols_are_matched_by_name_in_any_order(names, expected):
    assert match_vocabulary(names, TOKENS, "model").tolist() == expected


@pytest.mark.parametrize(
    ("names", "expected"), [(["<unk>", "a", "<unk>"], [0, 1, 2]), (["a", "<unk>"], [ABSENT, 0, 1])]
)
def test_the_word_unk_of_a_text_is_matched_before_the_unknown_symbol(names, expected):
    assert match_vocabulary(names, ["<unk>", "a", "<unk>"], "model").tolist() == expected


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["a"], "model lacks 'b', which the vocabulary of train has; add them"),
        (["a", "b", "c"], "model has 'c', which the vocabulary of train lacks; remove them"),
        (["a", "b", "b"], "model has 'b', which"),
        ([*"abcdefghij"], "model has 'c', 'd', 'e', 'f', 'g' and 3 more symbols, which"),
    ],
)
def test_another_vocabulary_is_refused(names, problem):
    with pytest.raises(InputError, match=problem):
        match_vocabulary(names, TOKENS, "model")


def test_a_text_is_translated_into_the_indices_of_the_model():
    (segment,) = translate_segments([np.array([1, 2, 1])], np.array([ABSENT, 7, 5]), "model", "test")
    assert segment.tolist() == [7, 5, 7]


def test_unknown_symbols_need_an_entry():
    with pytest.raises(InputError, match="model has no <unk>, which stands for 2 symbols of test; add it"):
        translate_segments([np.array([1, 0]), np.array([0])], np.array([ABSENT, 1]), "model", "test")


def test_every_segment_is_scored_from_its_start():
    expected = np.concatenate([Fair().step_bits(segment.tolist()) for segment in SEGMENTS])
    np.testing.assert_allclose(charge_segments(Fair(), SEGMENTS, "model", "test"), expected, rtol=1e-12)


def test_a_model_without_bits_is_scored_by_its_distributions():
    class Steps:
        symbols, log2_probabilities = Fair().symbols, Fair().log2_probabilities

    expected = charge_bits(Fair(), SEGMENTS[0].tolist())
    np.testing.assert_allclose(charge_segments(Steps(), SEGMENTS[:1], "model", "test"), expected, rtol=1e-12)


def test_bits_that_disagree_with_the_distribution_are_refused():
    with pytest.raises(InputError, match=r"bits charges .* at place 1 of test, but log2_probabilities says"):
        charge_segments(TemperatureInOneForm(), SEGMENTS, "model", "test")


@pytest.mark.parametrize(
    ("bits", "problem"),
    [
        ([1.0, 1.0], "returns 2 bits for 5 symbols of test"),
        ([1.0, np.nan, 1.0, 1.0], "charges nan bits for the symbol at place 2"),
        ([1.0, 1.0, 1.0, -3.0], "charges -3.0 bits for the symbol at place 4"),
    ],
)
def test_impossible_bits_are_refused(bits, problem):
    class Wrong(Fair):
        def bits(self, ids):
            return np.array(bits)

    with pytest.raises(InputError, match=problem):
        charge_segments(Wrong(), SEGMENTS, "model", "test")


def test_a_file_in_the_arpa_format_is_a_model(tmp_path):
    path = tmp_path / "model.arpa"
    path.write_text("\\data\\\nngram 1=3\n\n\\1-grams:\n-99\t<unk>\n-0.30103\ta\n-0.30103\tb\n\n\\end\\\n")
    with open_external({"arpa": str(path)}, Limits()) as candidate:
        assert candidate.symbols() == TOKENS
        assert charge_bits(candidate, [1, 2, 1]) == pytest.approx([1, 1], abs=1e-5)


def test_settings_without_a_model_are_refused():
    with pytest.raises(InputError, match="lack model and arpa"), open_external({}, Limits()):
        pass
