# syntax=docker/dockerfile:1
# Two images: `serve` runs the bot, the scheduler and the migrations; `train` can fine-tune as well. Both install the
# packages in the hashed locks and nothing else. The code is in /app and owned by root, so no process can change it.
ARG PYTHON=3.11-slim-bookworm

FROM python:${PYTHON} AS base
ENV PATH=/opt/thumbs/bin:$PATH \
    HOME=/data \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# A new volume inherits the owner of the folder that it is mounted on.
RUN groupadd --system --gid 10001 thumbs \
    && useradd --system --uid 10001 --gid thumbs --home-dir /data --no-create-home --shell /usr/sbin/nologin thumbs \
    && install --directory --owner=thumbs --group=thumbs --mode=0700 /data /store
RUN python -m venv /opt/thumbs
WORKDIR /app

FROM base AS serve-packages
COPY requirements/serve.lock requirements/
RUN pip install --no-deps --require-hashes -r requirements/serve.lock

FROM base AS train-packages
# `gpu` adds the CUDA libraries, which are several GB.
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
