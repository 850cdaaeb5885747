# syntax=docker/dockerfile:1
# Two images: `serve` answers, keeps the schedule and migrates; `train` fine-tunes too. Both hold the packages of the
# hashed locks and nothing newer. Rooms lie in /app, owned by root, so that no process can change its own program.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS base
ENV PATH=/opt/thumbs/bin:$PATH \
    HOME=/data \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# A new volume takes over the owner of the folder that it is mounted on.
RUN groupadd --system --gid 10001 thumbs \
    && useradd --system --uid 10001 --gid thumbs --home-dir /data --no-create-home --shell /usr/sbin/nologin thumbs \
    && install --directory --owner=thumbs --group=thumbs --mode=0700 /data /store
RUN python -m venv /opt/thumbs
WORKDIR /app

FROM base AS serve-packages
COPY requirements/serve.lock requirements/
RUN pip install --no-deps --require-hashes -r requirements/serve.lock

FROM base AS train-packages
# `gpu` takes the CUDA libraries along, several GB of them.
ARG TRAINING=train
COPY requirements/train.lock requirements/gpu.lock requirements/encoder.lock requirements/
RUN pip install --no-deps --require-hashes -r requirements/${TRAINING}.lock -r requirements/encoder.lock

FROM serve-packages AS serve
COPY . .
RUN pip install --no-deps --no-build-isolation --editable . && python -m compileall -q /app
USER thumbs
ENTRYPOINT ["thumbs"]
CMD ["--help"]

FROM train-packages AS train
COPY . .
RUN pip install --no-deps --no-build-isolation --editable . && python -m compileall -q /app
USER thumbs
ENTRYPOINT ["thumbs"]
CMD ["--help"]
