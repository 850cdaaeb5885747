# Every target makes the environment that it needs from hashed locks, or finds it current, and goes on.
PYTHON ?= python3
ARGS ?=

make_env = @$(PYTHON) requirements/make_env.py

.DEFAULT_GOAL := help
.PHONY: help demo run worker finetune evaluate summary test lint locks peers

help: ## list these targets
	@sed -n 's/^\([a-z]*\): ## /  make \1\t/p' Makefile | expand -t 16

demo: ## start a local chat page, the bot and its worker, and print the page's address; needs no token
	$(make_env) serve
	@.venv/bin/thumbs demo

run: ## start the bot on Telegram with TELEGRAM_TOKEN
	$(make_env) serve
	@.venv/bin/thumbs bot

worker: ## start a worker that learns from judgements; ARGS='--beat' keeps the schedule too
	$(make_env) train
	@.venv-train/bin/thumbs worker $(ARGS)

finetune: ## fine-tune a model; ARGS='--data "IMDB Dataset.csv" --out var/models/mine'
	$(make_env) train
	@.venv-train/bin/thumbs fine-tune $(ARGS)

evaluate: ## measure a model; ARGS='--data aclImdb_v1.tar.gz --model var/models/mine --report mine.html'
	$(make_env) train
	@.venv-train/bin/thumbs evaluate $(ARGS)

summary: ## print a network's layers and parameters; ARGS='--base google-bert/bert-base-uncased'
	$(make_env) train
	@.venv-train/bin/thumbs summary $(ARGS)

test: ## run every test; ARGS="-k word" picks some
	$(make_env) dev
	@sh requirements/chromium.sh
	@.venv-dev/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: ## check style, types, layers and locks
	$(make_env) dev
	@.venv-dev/bin/ruff check .
	@.venv-dev/bin/ruff format --check .
	@.venv-dev/bin/mypy
	@.venv-dev/bin/mypy requirements tests/skip_policy.py tests/peers.py
	@.venv-dev/bin/lint-imports
	@.venv-dev/bin/python requirements/make_locks.py --check

locks: ## make requirements/*.lock from pyproject.toml
	@test -x .venv-dev/bin/uv || $(PYTHON) requirements/make_env.py dev
	@.venv-dev/bin/python requirements/make_locks.py

peers: ## make the environment with PyTorch that some tests compare with
	$(make_env) peers
