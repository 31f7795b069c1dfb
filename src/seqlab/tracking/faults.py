"""What can go wrong outside, in words: the place, the cause and the remedy."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from seqlab.io.errors import InputError

OUTSIDE = {"builtins.OSError", "sqlite3.Error", "sqlalchemy.SQLAlchemyError", "mlflow.MlflowException"}
DRIVERS = {"psycopg2": "psycopg2-binary", "MySQLdb": "mysqlclient"}  # packages of modules that are called otherwise
REMEDIES = {  # what a message shows of the cause: the cause and the remedy; the first that fits, the last fits all
    "is locked": "another program is writing to it; stop that program and run the same command again",
    "is full|no space left": "the disk is full; make room and run the same command again",
    "readonly|read-only|unable to open": "it cannot be written; make it writable or choose another",
    "connection refused": "no server listens there; start it, or give no address to use a local database",
    "name resolution|name or service|nodename": "no machine has that name; correct the address",
    "invalid host header": "the server refuses this name of its machine; use its IP address, or start it with "
    "--allowed-hosts",
    "permission|error code 40[13]|forbidden|unauthorized": "you may not write there; ask for access, or set "
    "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
    "timed out|timeout": "the server does not answer in time; see whether it is overloaded, or start it anew",
    "error code 5\\d\\d|too many 50\\d": "the server failed; its log says why",
    "connection aborted|remote end closed|connection reset": "the server broke off; start it and run the same "
    "command again, which completes what was begun",
    "load plugin": "no package here can talk to such a database; correct the address, or install the package",
    "max retries": "the server does not answer; start it, or give no address to use a local database",
    "schema|locate revision|table \\S+ already": "its tables are not those of the installed MLflow; delete a local "
    "database, which the next run rebuilds from the results, or run `mlflow db upgrade` on a shared one",
    "": "it failed; delete a local database, which the next run rebuilds from the results, or ask who runs the server",
}


def is_outside(error: BaseException) -> bool:
    """Whether an error is one of the database or the server, and not a fault of this program."""
    kinds = {f"{kind.__module__.split('.')[0]}.{kind.__name__}" for kind in type(error).__mro__}
    return not isinstance(error, FileNotFoundError) and bool(kinds & OUTSIDE)  # by name: importing them takes seconds


def sentence(uri: str, error: BaseException) -> str:
    """The place, the cause and the remedy."""
    place, detail = (without_password(" ".join(str(it).split())) for it in (uri, error))
    fitting = (advice for pattern, advice in REMEDIES.items() if re.search(pattern, detail, re.IGNORECASE))
    return f"cannot publish to {place}: {next(fitting)} (it said: {_shortened(detail)})"


def without_password(text: str) -> str:
    """`text` without the name and password that an address in it may hold."""
    return re.sub(r"//[^/@\s]*@", "//", text)


@contextmanager
def faults_named(uri: str) -> Iterator[None]:
    """Turn a failure of the database or server at `uri` into an InputError that names the place, the cause and the
    remedy.
    """
    try:
        yield
    except ImportError as error:  # a package that only some databases need, and their users install
        module = (error.name or "").partition(".")[0]
        if module in ("", "mlflow", "seqlab") or uri.startswith(("sqlite:", "http")):
            raise
        place = without_password(" ".join(uri.split()))
        package = DRIVERS.get(module, module)
        raise InputError(
            f"cannot publish to {place}: that database needs the Python package {package}, which is not installed; "
            f"install it (python -m pip install {package}) and run the same command again"
        ) from None
    except Exception as error:
        if not is_outside(error):
            raise
        raise InputError(sentence(uri, error)) from None


def _shortened(detail: str) -> str:
    return detail if len(detail) <= 300 else f"{detail[:140]} ... {detail[-140:]}"
