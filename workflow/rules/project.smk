"""The folder of the project, BASE, the default configuration, DEFAULT, and `config`, the default with all overrides.

Other Snakefiles may use this workflow as a module, from a local folder or from GitHub or GitLab. Snakemake ignores
`configfile` in modules with a configuration, so the default one is read here.
"""

import copy
import os
import tarfile
import tempfile
from pathlib import Path

from snakemake.common.configfile import load_configfile
from snakemake.utils import update_config


def project_folder(place):
    """Return the folder of the project, with its programs and library, as a path.

    `place` is its location in Snakemake. The files of a cached clone are extracted beside the clone, once for every
    commit.
    """
    if not hasattr(place, "hosted_repo"):
        return Path(os.path.abspath(place.get_path_or_uri(secret_free=True)))
    clone = place.hosted_repo.repo
    commit = clone.commit(place.ref)
    folder = Path(f"{clone.git_dir}-{commit.hexsha}")
    if not folder.exists():
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            with tempfile.TemporaryFile() as packed:
                clone.archive(packed, treeish=commit.hexsha)
                packed.seek(0)
                tarfile.open(fileobj=packed).extractall(f"{scratch}/project", filter="data")
            try:
                os.rename(f"{scratch}/project", folder)
            except OSError:  # another Snakemake was faster
                if not folder.exists():
                    raise
    return folder


def own(path):
    """Return a path in the folder `config` of the working folder, if that exists, else of the project."""
    return Path("config" if os.path.isdir("config") else BASE / "config") / path


def definitions(file):
    """Return the blocks of corpora.yaml, series.yaml or presets.yaml; the working folder overrides the project."""
    shipped, added = BASE / "config" / file, own(file)
    blocks = load_configfile(shipped)
    return blocks if not added.exists() or added.samefile(shipped) else blocks | load_configfile(added)


BASE = project_folder(workflow.current_basedir.join("../.."))
DEFAULT = load_configfile(BASE / "config/config.yaml")
overrides, config = config, copy.deepcopy(DEFAULT)
update_config(config, overrides)
