"""Networks, gradients and optimisers against torch.nn and torch.optim, which know nothing of replicas."""

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from seqlab.fleet.accelerated.fused import encode_one_hot, fused_layer
from seqlab.fleet.cells import CELLS
from seqlab.fleet.optimisers import Optimiser, clip_gradients
from seqlab.fleet.products import look_up
from seqlab.fleet.stack import Parameters
from seqlab.rnn.network import Architecture

torch.set_num_threads(1)

SIZES = [(1, 4, 3), (1, 16, 28), (2, 8, 5), (3, 5, 11)]  # layers, hidden, vocabulary
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-10}
MODULES = {"rnn": torch.nn.RNN, "gru": torch.nn.GRU, "lstm": torch.nn.LSTM}


def random_parameters(architecture: Architecture, replicas: int, kind: torch.dtype) -> Parameters:
    """Initial weights, but with every bias drawn too, so that a bias in the wrong place shows."""
    random = torch.Generator().manual_seed(7)
    parameters = architecture.initial_parameters(list(range(replicas)))
    return {
        name: (value if name.startswith("W") else torch.randn(value.shape, generator=random)).to(kind)
        for name, value in parameters.items()
    }


def torch_network(
    architecture: Architecture, parameters: Parameters, replica: int
) -> tuple[torch.nn.RNNBase, torch.nn.Linear]:
    """The same network as torch.nn builds it; its second bias of each cell is zero."""
    kind = parameters["W_hq"].dtype
    module = MODULES[architecture.cell](architecture.vocabulary, architecture.hidden, architecture.layers).to(kind)
    output = torch.nn.Linear(architecture.hidden, architecture.vocabulary).to(kind)
    with torch.no_grad():
        for layer in range(architecture.layers):
            getattr(module, f"weight_ih_l{layer}").copy_(parameters[f"W_xh_{layer + 1}"][replica].T)
            getattr(module, f"weight_hh_l{layer}").copy_(parameters[f"W_hh_{layer + 1}"][replica].T)
            getattr(module, f"bias_ih_l{layer}").copy_(parameters[f"b_h_{layer + 1}"][replica, 0])
            getattr(module, f"bias_hh_l{layer}").zero_()
        output.weight.copy_(parameters["W_hq"][replica].T)
        output.bias.copy_(parameters["b_q"][replica, 0])
    return module, output


def torch_gradients(architecture: Architecture, module: torch.nn.RNNBase, output: torch.nn.Linear) -> Parameters:
    gradients = {"W_hq": output.weight.grad.T, "b_q": output.bias.grad[None]}
    for layer in range(architecture.layers):
        gradients[f"W_xh_{layer + 1}"] = getattr(module, f"weight_ih_l{layer}").grad.T
        gradients[f"W_hh_{layer + 1}"] = getattr(module, f"weight_hh_l{layer}").grad.T
        gradients[f"b_h_{layer + 1}"] = getattr(module, f"bias_ih_l{layer}").grad[None]
    return gradients


def assert_close(found: Tensor, expected: Tensor) -> None:
    tolerance = TOLERANCE[expected.dtype]
    torch.testing.assert_close(found, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("replicas", [1, 3])
@pytest.mark.parametrize(("layers", "hidden", "vocabulary"), SIZES)
@pytest.mark.parametrize("cell", MODULES)
def test_outputs_states_loss_and_gradients(cell, layers, hidden, vocabulary, replicas, kind):
    architecture = Architecture(cell, layers, hidden, vocabulary)
    parameters = random_parameters(architecture, replicas, kind)
    random = torch.Generator().manual_seed(1)
    batch_size, steps = 3, 9
    inputs = torch.randint(vocabulary, (replicas, batch_size, steps), generator=random)
    targets = torch.randint(vocabulary, (replicas, batch_size, steps), generator=random)
    state = [
        tuple(
            torch.randn(replicas, batch_size, *shape, generator=random).to(kind) / 2
            for shape in CELLS[cell].state_shapes(hidden)
        )
        for _ in range(layers)
    ]
    leaves = {name: value.clone().requires_grad_() for name, value in parameters.items()}
    logits, after = architecture.forward(leaves, inputs, state)
    losses = [
        functional.cross_entropy(logits[:, replica].flatten(0, 1), targets[replica].T.flatten())
        for replica in range(replicas)
    ]
    torch.stack(losses).sum().backward()

    for replica in range(replicas):
        module, output = torch_network(architecture, parameters, replica)
        encode_one_hot = functional.one_hot(inputs[replica].T, vocabulary).to(kind)
        before = tuple(torch.stack([layer[which][replica] for layer in state]) for which in range(len(state[0])))
        outputs, last = module(encode_one_hot, before if cell == "lstm" else before[0])
        expected = output(outputs)
        loss = functional.cross_entropy(expected.flatten(0, 1), targets[replica].T.flatten())
        loss.backward()

        assert_close(logits[:, replica], expected)
        assert_close(losses[replica], loss)
        for which, tensor in enumerate(last if cell == "lstm" else (last,)):
            assert_close(torch.stack([layer[which][replica] for layer in after]), tensor)
        for name, gradient in torch_gradients(architecture, module, output).items():
            assert_close(leaves[name].grad[replica], gradient)


@pytest.mark.parametrize("cell", MODULES)
def test_gradients_of_a_layer_against_finite_differences(cell):
    random = torch.Generator().manual_seed(3)
    steps, replicas, batch_size, hidden = 3, 2, 2, 3
    _, wide = CELLS[cell].shapes(1, hidden)["b_h"]

    def drawn(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random, dtype=torch.float64).requires_grad_()

    def layer(projected: Tensor, w_hh: Tensor, *state: Tensor) -> tuple[Tensor, ...]:
        outputs, last = CELLS[cell].layer(projected, state, w_hh)
        return outputs, *last

    state = [drawn(replicas, batch_size, *shape) for shape in CELLS[cell].state_shapes(hidden)]
    projected, w_hh = drawn(steps, replicas, batch_size, wide), drawn(replicas, hidden, wide)
    assert torch.autograd.gradcheck(layer, (projected, w_hh, *state))


@pytest.mark.parametrize("kind", [torch.float32, torch.float64], ids=["float32", "float64"])
@pytest.mark.parametrize("replicas", [1, 3])
@pytest.mark.parametrize("cell", MODULES)
def test_a_layer_by_the_kernels_of_torch_is_that_of_the_time_loop(cell, replicas, kind):
    random = torch.Generator().manual_seed(4)
    steps, batch_size, hidden, vocabulary = 11, 4, 8, 5
    _, wide = CELLS[cell].shapes(1, hidden)["b_h"]

    def drawn(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=random, dtype=torch.float64).to(kind)

    weights = drawn(replicas, vocabulary, wide), drawn(replicas, hidden, wide) / 3, drawn(replicas, 1, wide)
    state = [drawn(replicas, batch_size, *shape) / 2 for shape in CELLS[cell].state_shapes(hidden)]
    inputs = torch.randint(vocabulary, (replicas, batch_size, steps), generator=random)
    towards = drawn(steps, replicas, batch_size, hidden), [drawn(*part.shape) for part in state]
    found = []
    for by_torch in (False, True):
        w_xh, w_hh, bias, *before = leaves = [value.clone().requires_grad_() for value in (*weights, *state)]
        if by_torch:
            outputs, last = fused_layer(cell, encode_one_hot(inputs, vocabulary, w_xh), tuple(before), w_xh, w_hh, bias)
        else:
            outputs, last = CELLS[cell].layer(look_up(inputs, w_xh, bias), tuple(before), w_hh)
        aim = (outputs * towards[0]).sum() + sum((p * t).sum() for p, t in zip(last, towards[1], strict=True))
        found.append([outputs, *last, *torch.autograd.grad(aim, leaves)])
    for ours, theirs in zip(*found, strict=True):
        scale = theirs.abs().max()
        assert_close(ours / scale, theirs / scale)


def made_up(replicas: int) -> tuple[Parameters, list[Parameters]]:
    """Parameters of `replicas` networks and the gradients of twelve steps."""
    random = torch.Generator().manual_seed(5)
    shapes = {"W": (replicas, 3, 4), "b": (replicas, 1, 4)}
    draws = [{name: torch.randn(shape, generator=random) for name, shape in shapes.items()} for _ in range(13)]
    return draws[0], draws[1:]


@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
@pytest.mark.parametrize("kind", ["sgd", "adam", "adamw"])
def test_optimisers_step_by_step(kind, weight_decay):
    rates = [0.1, 0.02, 0.003]
    parameters, gradients = made_up(len(rates))
    peers = [
        {name: value[replica].clone().requires_grad_() for name, value in parameters.items()}
        for replica in range(len(rates))
    ]
    classes = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}
    expected = [
        classes[kind](peer.values(), lr=rate, weight_decay=weight_decay)
        for peer, rate in zip(peers, rates, strict=True)
    ]
    optimiser = Optimiser(kind, parameters, weight_decay)
    for step in gradients:
        optimiser.update(parameters, step, torch.tensor(rates), torch.ones(len(rates), dtype=torch.bool))
        for replica, (peer, other) in enumerate(zip(peers, expected, strict=True)):
            for name, value in peer.items():
                value.grad = step[name][replica].clone()
            other.step()
            for name, value in peer.items():
                torch.testing.assert_close(parameters[name][replica], value.detach(), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("limit", [0.5, 4.0, 100.0])
def test_clipping_of_each_replica(limit):
    _, gradients = made_up(3)
    found = {
        name: value.clone() * torch.tensor([0.1, 1.0, 10.0])[:, None, None] for name, value in gradients[0].items()
    }
    peers = [[value[replica].clone() for value in found.values()] for replica in range(3)]
    norms = clip_gradients(found, limit)
    for replica, peer in enumerate(peers):
        leaves = [torch.zeros_like(value).requires_grad_() for value in peer]
        for leaf, gradient in zip(leaves, peer, strict=True):
            leaf.grad = gradient
        expected = torch.nn.utils.clip_grad_norm_(leaves, limit)
        torch.testing.assert_close(norms[replica], expected, rtol=1e-6, atol=1e-6)
        for value, leaf in zip(found.values(), leaves, strict=True):
            torch.testing.assert_close(value[replica], leaf.grad, rtol=1e-6, atol=1e-6)
