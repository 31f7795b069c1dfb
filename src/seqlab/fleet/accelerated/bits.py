"""Random bits for dropout on a GPU, drawn ahead of their use by the generators of the processor.

So a GPU drops the same entries as a processor, and both share one checkpoint format. A thread for each replica draws
the bits of the next batches while the GPU computes the current one; the GPU turns them into masks.
"""

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

AHEAD = 4  # batches whose bits are drawn ahead
ENTRIES_PER_WORD = 4  # an entry takes 16 bits, a word has 64


def count_words(shape: Sequence[int]) -> int:
    """Count the 64-bit words that a mask of `shape` takes."""
    return math.ceil(math.prod(shape) / ENTRIES_PER_WORD)


def keep_border(share: float) -> int:
    """The largest 16-bit number that keeps an entry where a `share` of all entries is dropped."""
    return max(round((1 - share) * 2**16), 1) - 2**15 - 1


class DeviceBits:
    """Random bits of one step of a fleet, (R, words) of int64, from which masks are taken in order.

    `shares` are the dropped shares of all masks, each with one for every replica.
    """

    def __init__(self, replicas: int, number: int, device: torch.device, shares: Iterable[tuple[float, ...]]) -> None:
        self.words, self.used = torch.zeros(replicas, number, dtype=torch.int64, device=device), 0
        self.limits = {of_mask: _limits(of_mask, device) for of_mask in shares}  # made before a step is recorded

    def masks(self, shape: tuple[int, ...], shares: tuple[float, ...]) -> Tensor:
        """Return the next mask of every replica, (R, ...), equal to that of `seqlab.fleet.dropout.draw_masks`."""
        number = count_words(shape)
        drawn = self.words[:, self.used : self.used + number].view(torch.int16)[:, : math.prod(shape)]
        self.used += number
        borders, kept = self.limits[shares]
        mask = torch.le(drawn, borders).to(torch.float32)
        return mask.div_(kept).view(-1, *shape)


def _limits(shares: tuple[float, ...], device: torch.device) -> tuple[Tensor, Tensor]:
    """Return the borders of kept entries and the kept shares of every replica, each (R, 1); all is kept for 0."""
    borders = torch.tensor([[keep_border(share)] for share in shares], dtype=torch.int16, device=device)
    return borders, torch.tensor([[1 - share] for share in shares], dtype=torch.float32, device=device)


class BitStream:
    """Source of the `DeviceBits` of every batch, drawn from the generators of a fleet."""

    def __init__(self, generators: Sequence[torch.Generator], target: Tensor) -> None:
        self.generators, self.target = generators, target
        self.is_gpu = target.device.type == "cuda" and torch.cuda.is_available()
        size = AHEAD, *target.shape
        self.slots = torch.zeros(size, dtype=torch.int64, pin_memory=self.is_gpu, device="cpu")
        self.copied: list[Any] = [None] * AHEAD  # the events after which a slot may be overwritten

    def begin(self, first: int, needs: Sequence[tuple[Sequence[tuple[int, Sequence[float]]], Sequence[bool]]]) -> None:
        """Prepare the batches from `first` on.

        `needs` holds for each the words of its masks, with the dropped shares of all replicas, and which replicas are
        present. A replica draws nothing for a mask of which it drops nothing.
        """
        self.needs = needs
        self.threads = [ThreadPoolExecutor(1) for _ in self.generators]
        self.states = [generator.get_state() for generator in self.generators]
        self.futures: dict[int, list[Future[Tensor | None]]] = {}
        for batch in range(first, min(first + AHEAD, len(needs))):
            self._submit(batch)

    def load(self, batch: int) -> None:
        """Copy the bits of `batch` to the target, in the order of the current stream."""
        for replica, future in enumerate(self.futures.pop(batch)):
            state = future.result()
            self.states[replica] = self.states[replica] if state is None else state
        slot, number = batch % AHEAD, sum(words for words, _ in self.needs[batch][0])
        self.target[:, :number].copy_(self.slots[slot, :, :number], non_blocking=True)
        self.copied[slot] = torch.cuda.current_stream(self.target.device).record_event() if self.is_gpu else None
        if batch + AHEAD < len(self.needs):
            self._submit(batch + AHEAD)

    def end(self) -> None:
        """Set the generators to their states after the last loaded batch."""
        for thread in self.threads:
            thread.shutdown(cancel_futures=True)
        for generator, state in zip(self.generators, self.states, strict=True):
            generator.set_state(state)

    def _submit(self, batch: int) -> None:
        masks, present = self.needs[batch]
        self.futures[batch] = [
            thread.submit(self._draw, batch % AHEAD, replica, [(words, shares[replica]) for words, shares in masks])
            if present[replica]
            else _completed()
            for replica, thread in enumerate(self.threads)
        ]

    def _draw(self, slot: int, replica: int, masks: Sequence[tuple[int, float]]) -> Tensor:
        """Draw the words of `masks` for one replica; returns the state of its generator."""
        if self.copied[slot] is not None:
            self.copied[slot].synchronize()
        generator, begin = self.generators[replica], 0
        for words, share in masks:
            if share:
                self.slots[slot, replica, begin : begin + words].random_(-(2**63), None, generator=generator)
            begin += words
        return generator.get_state()


def _completed() -> Future[Tensor | None]:
    """Return the result for a replica without a batch, which draws nothing."""
    future: Future[Tensor | None] = Future()
    future.set_result(None)
    return future
