"""Failures of databases and servers as one sentence: the place, the cause and the remedy."""

import re
from collections.abc import Iterator
from contextlib import contextmanager

from seqlab.io.errors import InputError

EXTERNAL_ERRORS = {"builtins.OSError", "sqlite3.Error", "sqlalchemy.SQLAlchemyError", "mlflow.MlflowException"}
DRIVER_PACKAGES = {
    "psycopg2": "psycopg2-binary",
    "MySQLdb": "mysqlclient",
}  # module -> its package, where the names differ
REMEDIES = {  # pattern of a message -> cause and remedy; the first match counts
    "is locked": "another program writes to it; stop that program and run the same command again",
    "is full|no space left": "the disk is full; free disk space and run the same command again",
    "readonly|read-only|unable to open": "it is not writable; correct its permissions or choose another",
    "connection refused": "no server listens there; start it, or omit the address to use a local database",
    "name resolution|name or service|nodename": "the host name is unknown; correct the address",
    "invalid host header": "the server rejects this host name; use its IP address, or start it with --allowed-hosts",
    "permission|error code 40[13]|forbidden|unauthorized": "write access is denied; ask for access, or set "
    "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
    "timed out|timeout": "the server does not answer in time; check its load, or restart it",
    "error code 5\\d\\d|too many 50\\d": "the server failed; see its log",
    "connection aborted|remote end closed|connection reset": "the server closed the connection; start it and run the "
    "same command again to complete the runs",
    "load plugin": "no installed package supports this database; correct the address, or install the package",
    "max retries": "the server does not answer; start it, or omit the address to use a local database",
    "schema|locate revision|table \\S+ already": "its tables do not fit the installed MLflow; delete a local "
    "database, which the next run rebuilds from the results, or run `mlflow db upgrade` on a shared one",
    "": "it failed; delete a local database, which the next run rebuilds from the results, or ask the administrator",
}


def is_external(error: BaseException) -> bool:
    """Return whether an error comes from the database or the server, not from this program."""
    kinds = {f"{kind.__module__.split('.')[0]}.{kind.__name__}" for kind in type(error).__mro__}
    return not isinstance(error, FileNotFoundError) and bool(
        kinds & EXTERNAL_ERRORS
    )  # by name, since importing them takes seconds


def describe_fault(uri: str, error: BaseException) -> str:
    """Return a sentence with the place, the cause and the remedy."""
    place, detail = (hide_password(" ".join(str(value).split())) for value in (uri, error))
    fitting = (advice for pattern, advice in REMEDIES.items() if re.search(pattern, detail, re.IGNORECASE))
    return f"cannot publish to {place}: {next(fitting)} (message: {_shorten(detail)})"


def hide_password(text: str) -> str:
    """Return `text` without the names and passwords of addresses in it."""
    return re.sub(r"//[^/@\s]*@", "//", text)


@contextmanager
def explain_faults(uri: str) -> Iterator[None]:
    """Turn failures of the database or server at `uri` into InputErrors that name place, cause and remedy."""
    try:
        yield
    except ImportError as error:  # the optional driver of a database
        module = (error.name or "").partition(".")[0]
        if module in ("", "mlflow", "seqlab") or uri.startswith(("sqlite:", "http")):
            raise
        place = hide_password(" ".join(uri.split()))
        package = DRIVER_PACKAGES.get(module, module)
        raise InputError(
            f"cannot publish to {place}: this database needs the Python package {package}; install it "
            f"(python -m pip install {package}) and run the same command again"
        ) from None
    except Exception as error:
        if not is_external(error):
            raise
        raise InputError(describe_fault(uri, error)) from None


def _shorten(detail: str) -> str:
    return detail if len(detail) <= 300 else f"{detail[:140]} ... {detail[-140:]}"
