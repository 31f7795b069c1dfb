"""Results of threads come in order, whatever the number of threads."""

import threading

import pytest

from seqlab.machine.threads import count_cores, map_ordered


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_results_are_in_the_order_of_the_items(threads: int) -> None:
    assert list(map_ordered(lambda item: item * 2, range(30), threads)) == list(range(0, 60, 2))


def test_items_are_taken_as_results_are(threads: int = 2) -> None:
    taken = []

    def items():
        for item in range(100):
            taken.append(item)
            yield item

    results = map_ordered(lambda item: item, items(), threads)
    next(results)
    assert len(taken) <= 2 * threads + 1


def test_several_threads_work_at_once() -> None:
    barrier = threading.Barrier(2, timeout=20)  # passed by two threads together only
    assert len(list(map_ordered(lambda _: barrier.wait(), range(2), 2))) == 2


def test_an_error_in_a_thread_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        list(map_ordered(lambda item: 1 // item, [1, 0], 2))


def test_there_is_a_core() -> None:
    assert count_cores() >= 1
