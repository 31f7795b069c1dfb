"""The peer of sweep.py: language models of torch.nn, trained one after the other, as in most scripts.

    python benchmarks/plain_torch.py --text FILE --shapes '[["lstm", 2, 256]]' --seeds 1 --settings JSON

Embedding of the hidden size, RNN or LSTM, linear layer; the batches, dropout, optimiser, clipping and schedule of the
settings of a sweep, and the same validation after each epoch. torch uses as many threads as it likes. On a GPU the text
lies there, and nothing waits for it within an epoch. The last line is JSON: the seconds of the trainings,
together and each.
"""

import argparse
import json
import math
import time
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


def train(shape, seed, settings, train_ids, valid, vocabulary):
    torch.manual_seed(seed)
    steps, batch_size, epochs = settings["steps"], settings["batch_size"], settings["epochs"]
    model = Model(*shape, vocabulary, settings["dropout"]).to(train_ids.device)
    optimiser = torch.optim.Adam(model.parameters(), lr=settings["learning_rate"])
    length = (len(train_ids) - 1) // batch_size
    inputs = train_ids[: length * batch_size].view(batch_size, length).T
    targets = train_ids[1 : length * batch_size + 1].view(batch_size, length).T
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", required=True)
    parser.add_argument("--shapes", type=json.loads, required=True, help="cell, layers and hidden units of each")
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--settings", type=json.loads, required=True)
    parser.add_argument("--device", default="cpu", help="cpu or cuda")
    arguments = parser.parse_args()
    text = Path(arguments.text).read_text(encoding="utf-8")
    symbols = {symbol: index for index, symbol in enumerate(sorted(set(text)))}
    ids = torch.tensor([symbols[symbol] for symbol in text], device=arguments.device)
    train_ids, valid = ids[: int(0.9 * len(ids))], ids[int(0.9 * len(ids)) : int(0.95 * len(ids))]
    if arguments.device == "cuda":  # in the precision that seqlab computes in
        torch.backends.cuda.matmul.fp32_precision = arguments.settings["precision"].replace("float32", "ieee")
        torch.backends.cudnn.rnn.fp32_precision = arguments.settings["precision"].replace("float32", "ieee")
    started, totals = time.perf_counter(), {}
    for shape in arguments.shapes:
        name, times = "{}-{}x{}".format(*shape), []
        for seed in arguments.seeds:
            began = time.perf_counter()
            train(shape, seed, arguments.settings, train_ids, valid, len(symbols))
            times.append(time.perf_counter() - began)
            print(f"{name} seed {seed}  {times[-1]:.2f} s", flush=True)
        totals[name] = round(sum(times), 2)
    print(json.dumps({"seconds": time.perf_counter() - started, "each": totals}))


if __name__ == "__main__":
    main()
