# Each target first installs the virtual environment that it needs from hashed locks, unless it is up to date.
PYTHON ?= python3
ARGS ?=

make_env = @$(PYTHON) requirements/make_env.py

.DEFAULT_GOAL := help
.PHONY: help demo run worker finetune evaluate summary reviewhead test format lint check locks peers

help: ## list the targets
	@sed -n 's/^\([a-z]*\):[a-z ]*## /  make \1\t/p' Makefile | expand -t 16

demo: ## start the bot, its worker and a local chat page, and print the page's URL; needs no token
	$(make_env) serve
	@.venv/bin/thumbs demo

run: ## start the bot on Telegram; needs TELEGRAM_TOKEN
	$(make_env) serve
	@.venv/bin/thumbs bot

worker: ## start a worker that trains on votes and corrections; ARGS='--beat' adds the scheduler
	$(make_env) train
	@.venv-train/bin/thumbs worker $(ARGS)

finetune: ## fine-tune a model; ARGS='--data "IMDB Dataset.csv" --out var/models/mine'
	$(make_env) train
	@.venv-train/bin/thumbs fine-tune $(ARGS)

evaluate: ## evaluate a model; ARGS='--data aclImdb_v1.tar.gz --model var/models/mine --report mine.html'
	$(make_env) train
	@.venv-train/bin/thumbs evaluate $(ARGS)

summary: ## print a network's layers and parameters; ARGS='--base google-bert/bert-base-uncased'
	$(make_env) train
	@.venv-train/bin/thumbs summary $(ARGS)

reviewhead: ## fit a model's review head; ARGS='models/starter --data imdb.parquet'
	$(make_env) train
	@.venv-train/bin/thumbs review-head $(ARGS)

test: ## run all tests; ARGS="-k word" selects some
	$(make_env) dev
	@sh requirements/chromium.sh
	@sh requirements/axe.sh
	@.venv-dev/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

format: ## sort the imports and format the code
	$(make_env) dev
	@.venv-dev/bin/ruff check --select I --fix .
	@.venv-dev/bin/ruff format .

lint: ## check style, types, layers and locks
	$(make_env) dev
	@.venv-dev/bin/ruff check .
	@.venv-dev/bin/ruff format --check .
	@.venv-dev/bin/mypy
	@.venv-dev/bin/mypy requirements tests/skip_policy.py tests/peers.py
	@.venv-dev/bin/lint-imports
	@.venv-dev/bin/python requirements/make_locks.py --check

check: lint test ## run lint, then test

locks: ## write requirements/*.lock from pyproject.toml
	@test -x .venv-dev/bin/uv || $(PYTHON) requirements/make_env.py dev
	@.venv-dev/bin/python requirements/make_locks.py

peers: ## install the environment with PyTorch that some tests compare with
	$(make_env) peers
