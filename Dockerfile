# The workflow with every package at its locked version; docs/clusters.md says how it is used.
#   docker build --tag seqlab .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/work" seqlab snakemake --cores 2
FROM python:3.11-slim-bookworm

# For machines without a GPU, a fifth of the size: --build-arg PIP_EXTRA_INDEX_URL=https://download.pytorch.org/whl/cpu
ARG PIP_EXTRA_INDEX_URL=

# git tells the commit that results come from, and fetches modules
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home seqlab \
    && mkdir /work \
    && chown seqlab /work

WORKDIR /opt/seqlab
COPY requirements.txt ./
RUN python -m pip install --no-cache-dir --requirement requirements.txt
COPY LICENSE README.md environment.yml pyproject.toml ./
COPY config config
COPY profiles profiles
COPY src src
COPY tools/entrypoint tools/
COPY workflow workflow
RUN python -m pip install --no-cache-dir --no-deps --no-build-isolation --editable .

# any user may be given with --user, and has no home then
ENV HOME=/tmp PYTHONDONTWRITEBYTECODE=1
USER seqlab
WORKDIR /work
ENTRYPOINT ["/opt/seqlab/tools/entrypoint"]
CMD ["snakemake", "--cores", "all"]
