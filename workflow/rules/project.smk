"""Where the project lies, BASE, and what this run is about, `config`: the default configuration, DEFAULT, with what was
given.

A Snakefile of somebody else may use this workflow as a module, from a folder on this machine or straight from GitHub or
GitLab. In a module that is given a configuration Snakemake passes over `configfile`, so the default one is read here.
"""

import copy
import os
import tarfile
import tempfile
from pathlib import Path

from snakemake.common.configfile import load_configfile
from snakemake.utils import update_config


def project_folder(place):
    """The folder of the project as a path, which programs and library are run from.

    `place` is where Snakemake has it from. What it reads out of a clone in its cache is laid out as files beside that
    clone, once for every commit.
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
    """A file or folder in `config` of the working folder, where that has a `config`, or else of the project."""
    return Path("config" if os.path.isdir("config") else BASE / "config") / path


def definitions(file):
    """The blocks of corpora.yaml or series.yaml, those of the working folder over those of the project."""
    shipped, added = BASE / "config" / file, own(file)
    blocks = load_configfile(shipped)
    return blocks if not added.exists() or added.samefile(shipped) else blocks | load_configfile(added)


BASE = project_folder(workflow.current_basedir.join("../.."))
DEFAULT = load_configfile(BASE / "config/config.yaml")
given, config = config, copy.deepcopy(DEFAULT)
update_config(config, given)
