"""A language model as most scripts train it, the peer of sweep.py: torch.nn, one network in one process.

    python benchmarks/plain_torch.py --text FILE --cell lstm --layers 2 --hidden 256 --seed 1 --settings JSON

Embedding of the hidden size, RNN or LSTM, linear layer; the batches, dropout, optimiser, clipping and schedule of the
settings of a sweep, and the same validation after each epoch. torch uses as many threads as it likes.
"""

import argparse
import json
import math
from pathlib import Path

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, cell: str, layers: int, hidden: int, vocabulary: int, dropout: float) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocabulary, hidden)
        kind = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}[cell]
        self.recurrent = kind(hidden, hidden, layers, dropout=dropout if layers > 1 else 0.0)
        self.dropout, self.linear = nn.Dropout(dropout), nn.Linear(hidden, vocabulary)

    def forward(self, inputs, state=None):
        outputs, state = self.recurrent(self.embedding(inputs), state)
        return self.linear(self.dropout(outputs)), state


def detached(state):
    return state.detach() if isinstance(state, torch.Tensor) else tuple(part.detach() for part in state)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--text", required=True)
    parser.add_argument("--cell", required=True)
    for name in ("layers", "hidden", "seed"):
        parser.add_argument(f"--{name}", type=int, required=True)
    parser.add_argument("--settings", type=json.loads, required=True)
    arguments = parser.parse_args()
    settings = arguments.settings
    torch.manual_seed(arguments.seed)
    text = Path(arguments.text).read_text(encoding="utf-8")
    symbols = {symbol: index for index, symbol in enumerate(sorted(set(text)))}
    ids = torch.tensor([symbols[symbol] for symbol in text])
    train, valid = ids[: int(0.9 * len(ids))], ids[int(0.9 * len(ids)) : int(0.95 * len(ids))]
    steps, batch_size, epochs = settings["steps"], settings["batch_size"], settings["epochs"]
    model = Model(arguments.cell, arguments.layers, arguments.hidden, len(symbols), settings["dropout"])
    optimiser = torch.optim.Adam(model.parameters(), lr=settings["learning_rate"])
    length = (len(train) - 1) // batch_size
    inputs = train[: length * batch_size].view(batch_size, length).T
    targets = train[1 : length * batch_size + 1].view(batch_size, length).T
    batches = math.ceil(length / steps)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs * batches)
    loss_of = nn.CrossEntropyLoss()
    for epoch in range(epochs):
        model.train()
        state = None
        for start in range(0, length, steps):
            logits, state = model(inputs[start : start + steps], state)
            state = detached(state)
            loss = loss_of(logits.flatten(0, 1), targets[start : start + steps].flatten())
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), settings["clip"])
            optimiser.step()
            schedule.step()
        model.eval()
        with torch.no_grad():
            logits, _ = model(valid[:-1, None])
            print(f"epoch {epoch + 1}  valid perplexity {loss_of(logits[:, 0], valid[1:]).exp():.3f}", flush=True)


if __name__ == "__main__":
    main()
