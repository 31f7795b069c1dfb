"""Recurrent cells, one file each, with their gradients.

Every array has a leading replica axis R, one entry for each independent network of a fleet. n is the number of time
steps, B the batch size, i the size of an input, h the hidden size, G the number of gates of a cell.

Backpropagation through time is written by hand: the time loop works in place in buffers for all steps, everything that
does not depend on the step before is one operation over all steps, and the gradient of W_hh is one product. On
processors torch takes several times as long for tanh(x) as for sigmoid(2 x), and tanh(x) is 2 sigmoid(2 x) - 1, so it
is computed that way; the factor 2 goes into weights and sums.

Read `cell` first, then `rnn`; `linear` before `mingru` and `minlstm`.
"""

from seqlab.fleet.cells.cell import PROJECTION, Cell, Layer, State
from seqlab.fleet.cells.deltanet import DELTANET
from seqlab.fleet.cells.gru import GRU
from seqlab.fleet.cells.lstm import LSTM
from seqlab.fleet.cells.mingru import MINGRU
from seqlab.fleet.cells.minlstm import MINLSTM
from seqlab.fleet.cells.mlp import MLP
from seqlab.fleet.cells.mogrifier import MOGRIFIER
from seqlab.fleet.cells.rnn import RNN
from seqlab.fleet.cells.slstm import SLSTM

__all__ = ["CELLS", "LAYERS", "PROJECTION", "Cell", "Layer", "State"]

CELLS = {
    "rnn": RNN,
    "gru": GRU,
    "lstm": LSTM,
    "mingru": MINGRU,
    "minlstm": MINLSTM,
    "slstm": SLSTM,
    "deltanet": DELTANET,
    "mogrifier": MOGRIFIER,
}
LAYERS = {"mlp": MLP} | CELLS
