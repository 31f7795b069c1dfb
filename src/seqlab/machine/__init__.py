"""Devices, GPU leases and signals."""
