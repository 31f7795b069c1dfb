"""The peer of time_to_quality.py: a small transformer with the settings of nanoGPT's preset for processors.

    python benchmarks/plain_gpt.py --text FILE --threads 2 [--steps 2000]

Characters, first 90 % of the text; four layers of four heads and 128 units, blocks of 64, batches of 12 random windows,
no dropout; AdamW with betas 0.9 and 0.99, weight decay 0.1 on matrices, a rate of 1e-3 that rises for 100 steps and
falls along a cosine to 1e-4, gradients clipped to a norm of 1 (https://github.com/karpathy/nanoGPT, README and
config/train_shakespeare_char.py). The clock runs while it trains; then the last 10 % are scored in consecutive windows.
The last line is JSON.
"""

import argparse
import json
import math
import time
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

LAYERS, HEADS, UNITS, BLOCK, BATCH = 4, 4, 128, 64, 12
RATE, LOWEST_RATE, WARM_UP, DECAY, CLIP, SPREAD = 1e-3, 1e-4, 100, 0.1, 1.0, 0.02


class Block(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.before_attention, self.before_layer = nn.LayerNorm(UNITS, bias=False), nn.LayerNorm(UNITS, bias=False)
        self.entry, self.exit = nn.Linear(UNITS, 3 * UNITS, bias=False), nn.Linear(UNITS, UNITS, bias=False)
        self.layer = nn.Sequential(
            nn.Linear(UNITS, 4 * UNITS, bias=False), nn.GELU(), nn.Linear(4 * UNITS, UNITS, bias=False)
        )

    def forward(self, values: Tensor) -> Tensor:
        parts = self.entry(self.before_attention(values)).unflatten(-1, (3, HEADS, UNITS // HEADS))
        query, key, value = (part.transpose(1, 2) for part in parts.unbind(2))
        attended = functional.scaled_dot_product_attention(query, key, value, is_causal=True)
        values = values + self.exit(attended.transpose(1, 2).flatten(2))
        return values + self.layer(self.before_layer(values))


class Transformer(nn.Module):
    def __init__(self, vocabulary: int) -> None:
        super().__init__()
        self.symbols, self.places = nn.Embedding(vocabulary, UNITS), nn.Embedding(BLOCK, UNITS)
        self.blocks, self.last = nn.Sequential(*(Block() for _ in range(LAYERS))), nn.LayerNorm(UNITS, bias=False)
        for name, value in self.named_parameters():
            if value.dim() == 2:  # what ends a residual branch starts smaller
                ends = name.endswith(("exit.weight", "layer.2.weight"))
                nn.init.normal_(value, std=SPREAD / math.sqrt(2 * LAYERS) if ends else SPREAD)

    def forward(self, inputs: Tensor) -> Tensor:
        values = self.symbols(inputs) + self.places.weight[: inputs.shape[1]]
        return self.last(self.blocks(values)) @ self.symbols.weight.T  # the output weights are the embedding


def rate_at(step: int, steps: int) -> float:
    """Return the learning rate of a step."""
    if step < WARM_UP:
        return RATE * (step + 1) / (WARM_UP + 1)
    share = (step - WARM_UP) / max(steps - WARM_UP, 1)
    return LOWEST_RATE + 0.5 * (1 + math.cos(math.pi * share)) * (RATE - LOWEST_RATE)


def train(ids: Tensor, vocabulary: int, steps: int) -> Transformer:
    torch.manual_seed(1337)
    model = Transformer(vocabulary)
    matrices = [value for value in model.parameters() if value.dim() == 2]
    others = [value for value in model.parameters() if value.dim() < 2]
    groups = [{"params": matrices, "weight_decay": DECAY}, {"params": others, "weight_decay": 0.0}]
    optimiser = torch.optim.AdamW(groups, lr=RATE, betas=(0.9, 0.99))
    within = torch.arange(BLOCK)
    for step in range(steps):
        for group in optimiser.param_groups:
            group["lr"] = rate_at(step, steps)
        places = torch.randint(len(ids) - BLOCK, (BATCH, 1)) + within
        loss = functional.cross_entropy(model(ids[places]).flatten(0, 1), ids[places + 1].flatten())
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimiser.step()
        if step % 100 == 99:
            print(f"step {step + 1}  {loss:.3f} nats", flush=True)
    return model


@torch.no_grad()
def score(model: Transformer, ids: Tensor) -> float:
    """Return the mean nats of the symbols after consecutive windows' places."""
    windows = (len(ids) - 1) // BLOCK
    inputs, targets = (ids[shift : shift + windows * BLOCK].view(windows, BLOCK) for shift in (0, 1))
    costs = [
        functional.cross_entropy(model(some).flatten(0, 1), following.flatten(), reduction="sum")
        for some, following in zip(inputs.split(64), targets.split(64), strict=True)
    ]
    return float(torch.stack(costs).sum() / (windows * BLOCK))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--text", required=True)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=2000)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    text = Path(arguments.text).read_text(encoding="utf-8")
    indices = {symbol: index for index, symbol in enumerate(sorted(set(text)))}
    ids = torch.tensor([indices[symbol] for symbol in text])
    cut = int(0.9 * len(ids))
    started = time.perf_counter()
    model = train(ids[:cut], len(indices), arguments.steps)
    seconds = time.perf_counter() - started
    print(json.dumps({"seconds": round(seconds, 2), "loss": round(score(model, ids[cut:]), 4)}))


if __name__ == "__main__":
    main()
