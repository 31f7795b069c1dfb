"""Faster implementations of the same computations, with a fallback to the plain ones.

`fused` computes whole layers by cuDNN or oneDNN, `stepwise` by the Triton `kernels`, one launch for each step;
`captured` records a training step as a CUDA graph (`graphs`), with random bits from `bits`; `ways` keeps track of
failures, and `training` chooses for a fleet.
"""
