"""Reading of text files, with checks of their content."""

import re
from pathlib import Path

from seqlab.io.errors import InputError
from seqlab.io.files import damaged, verified

_WEB_PAGE = re.compile(r"\s*(?:<\?xml.*?\?>\s*|<!--.*?-->\s*)?<(?:!doctype\s+html|html)", re.IGNORECASE | re.DOTALL)


def check_text(data: bytes, where: str) -> str:
    """Decode `data` as a text, without a byte-order mark, with its line ends; `where` names the file in messages.

    Raises InputError where it is empty, holds NUL bytes, is not UTF-8 (with byte offset and line), or is a web page,
    such as a log-in page saved in place of a text.
    """
    if b"\0" in data:
        at = data.index(b"\0")
        raise InputError(f"{where} is not a text (a zero byte at offset {at}); give a plain text file in UTF-8")
    try:
        text = data.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{where} is not UTF-8 (byte 0x{data[error.start]:02x} at offset {error.start}, line {line}); "
            "convert it to UTF-8"
        ) from None
    if not text.strip():
        raise InputError(f"{where} is empty; give a file with text in it")
    if _WEB_PAGE.match(text[:4096]):
        raise InputError(f"{where} is an HTML page and not a plain text; save the text itself in its place")
    return text


def load_text(path: str | Path) -> str:
    """Read the text in `path` (module section 4, step 1) with the checks of `check_text`."""
    return check_text(read_bytes(verified(path)), str(path))


def read_clean(path: str | Path) -> str:
    """Read a text that the rule clean_corpus wrote; InputError where the file is damaged."""
    try:
        return verified(path).read_bytes().decode("utf-8")
    except UnicodeDecodeError as error:
        raise damaged(path, error) from None


def read_bytes(path: Path) -> bytes:
    """Read a file; InputError where it is missing, not a file, or not permitted."""
    if not path.exists():
        raise InputError(f"{path} does not exist; correct the path or put the text there")
    if not path.is_file():
        raise InputError(f"{path} is a folder or a device and not a text file; name a single file")
    try:
        return path.read_bytes()
    except PermissionError:
        raise InputError(f"{path} may not be read; give yourself the permission (chmod u+r)") from None
