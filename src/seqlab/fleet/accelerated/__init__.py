"""Faster ways of computing the same numbers, each left for the plain way where it fails.

`fused` hands whole layers to cuDNN or oneDNN, `stepwise` to the Triton `kernels`, a launch for each step; `captured`
records a training step as a CUDA graph (`graphs`), with random bits from `bits`; `ways` remembers what has failed, and
`training` chooses for a fleet.
"""
