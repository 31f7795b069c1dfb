"""Networks with an embedding and a tied output against torch.nn, in outputs, states and gradients."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from seqlab.fleet.cells import CELLS
from seqlab.rnn.network import Architecture

torch.set_num_threads(1)

MODULES = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
SHAPES = [(1, 4, 4, True), (2, 6, 4, True), (1, 3, 5, True), (2, 5, 3, False)]  # layers, hidden, embedding, tied
VOCABULARY, STEPS, ROWS = 7, 9, 3


class Reference(nn.Module):
    """The network as a user of torch writes it; the second bias of each cell is zero."""

    def __init__(self, network: Architecture, parameters: dict[str, Tensor]) -> None:
        super().__init__()
        self.embedding = nn.Embedding(network.vocabulary, network.embedding)
        self.cell = MODULES[network.cell](network.embedding, network.hidden, network.layers)
        wide = network.embedding if network.tied else network.hidden
        projects = network.tied and network.hidden != network.embedding
        self.projection = nn.Linear(network.hidden, wide, bias=False) if projects else nn.Identity()
        self.output = nn.Linear(wide, network.vocabulary)
        self.double()
        self.weights = {"W_xe": self.embedding.weight, "b_q": self.output.bias}
        self.weights |= {} if network.tied else {"W_hq": self.output.weight}
        self.weights |= {"W_he": self.projection.weight} if projects else {}
        for layer in range(network.layers):
            for name, peer in (("W_xh", "weight_ih"), ("W_hh", "weight_hh"), ("b_h", "bias_ih")):
                self.weights[f"{name}_{layer + 1}"] = getattr(self.cell, f"{peer}_l{layer}")
            nn.init.zeros_(getattr(self.cell, f"bias_hh_l{layer}"))
        for name, weight in self.weights.items():
            weight.data.copy_(turn(name, parameters[name]))
        if network.tied:
            self.output.weight = self.embedding.weight

    def forward(self, inputs: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, tuple[Tensor, ...]]:
        outputs, after = self.cell(self.embedding(inputs), state if len(state) > 1 else state[0])
        return self.output(self.projection(outputs)), after if len(state) > 1 else (after,)

    def gradients(self) -> dict[str, Tensor]:
        return {name: turn(name, weight.grad) for name, weight in self.weights.items()}


def turn(name: str, value: Tensor) -> Tensor:
    """Return `value`, a weight or a bias of one side, in the layout of the other, which is transposed but for W_xe."""
    if name.startswith("b_"):
        return value[0] if value.dim() == 2 else value[None]
    return value if name == "W_xe" else value.T


@pytest.mark.parametrize("replicas", [1, 3])
@pytest.mark.parametrize(("layers", "hidden", "embedding", "tied"), SHAPES)
@pytest.mark.parametrize("cell", MODULES)
def test_outputs_states_and_gradients(cell, layers, hidden, embedding, tied, replicas):
    network = Architecture(cell, layers, hidden, VOCABULARY, embedding, tied)
    random = torch.Generator().manual_seed(1)
    seeded = network.initial_parameters(range(replicas))
    leaves = {name: torch.randn(value.shape, generator=random).double() / 2 for name, value in seeded.items()}
    leaves = {name: value.requires_grad_() for name, value in leaves.items()}
    inputs, targets = torch.randint(VOCABULARY, (2, replicas, ROWS, STEPS), generator=random)
    state = [
        tuple(
            torch.randn(replicas, ROWS, *shape, generator=random).double() for shape in CELLS[cell].state_shapes(hidden)
        )
        for _ in range(layers)
    ]
    logits, after = network.forward(leaves, inputs, state)
    cost = functional.cross_entropy(logits.flatten(0, 2), targets.permute(2, 0, 1).flatten(), reduction="sum")
    cost.backward()
    for replica in range(replicas):
        reference = Reference(network, {name: value.detach()[replica] for name, value in leaves.items()})
        before = tuple(torch.stack([layer[part][replica] for layer in state]) for part in range(len(state[0])))
        expected, last = reference(inputs[replica].T, before)
        functional.cross_entropy(expected.flatten(0, 1), targets[replica].T.flatten(), reduction="sum").backward()
        torch.testing.assert_close(logits[:, replica], expected, rtol=1e-10, atol=1e-10)
        for part, value in enumerate(last):
            ours = torch.stack([layer[part][replica] for layer in after])
            torch.testing.assert_close(ours, value, rtol=1e-10, atol=1e-10)
        gradients = reference.gradients()
        assert set(gradients) == set(leaves)
        for name, gradient in gradients.items():
            torch.testing.assert_close(leaves[name].grad[replica], gradient, rtol=1e-9, atol=1e-9)
