"""The dashboard's server, up to where MLflow takes over."""

import socket

import pytest

from seqlab.dashboard import HOST, free_port, serve
from seqlab.errors import InputError


def test_a_port_in_use_is_not_taken():
    with socket.socket() as taken:
        taken.bind((HOST, 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert free_port(port) != port


def test_only_this_machine_is_listened_to():
    assert HOST == "127.0.0.1"


def test_without_a_database_the_remedy_is_named(tmp_path):
    with pytest.raises(InputError, match=r"mlflow\.db does not exist; run the workflow first"):
        serve(tmp_path, 5000)
