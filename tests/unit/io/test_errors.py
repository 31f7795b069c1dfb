"""What a program ends with where something outside it is wrong."""

import pytest

from seqlab.io.errors import InputError, command, quote


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (InputError("a\nb is wrong; mend it"), "error: a b is wrong; mend it"),
        (FileNotFoundError(2, "no such file", "a\nb"), "error: a b does not exist; run the workflow first"),
        (
            PermissionError(13, "Permission denied", "raw.txt"),
            "error: raw.txt can't be used (Permission denied); check",
        ),
        (IsADirectoryError(21, "Is a directory", "raw"), "error: raw can't be used (Is a directory); check"),
        (
            MemoryError("unable to allocate 8 GiB"),
            "error: out of memory (unable to allocate 8 GiB); run fewer",
        ),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory"), "error: out of memory (DefaultCPU"),
        (KeyboardInterrupt(), "error: interrupted; run the same command to continue"),
    ],
)
def test_what_is_wrong_outside_is_one_sentence(error: BaseException, sentence: str) -> None:
    @command
    def main() -> None:
        raise error

    with pytest.raises(SystemExit) as ended:
        main()
    assert str(ended.value).startswith(sentence) and "\n" not in str(ended.value)


@pytest.mark.parametrize(
    "error",
    [RuntimeError("shapes differ"), RuntimeError("illegal memory access"), ValueError("a fault"), KeyError("seed")],
)
def test_faults_of_the_program_keep_their_traceback(error: Exception) -> None:
    @command
    def main() -> None:
        raise error

    with pytest.raises(type(error)):
        main()


def test_a_value_is_shown_in_one_line_and_not_without_end() -> None:
    assert quote("a\nb") == "'a\\nb'"
    assert len(quote("x" * 5000)) < 200 and "5002 characters" in quote("x" * 5000)
