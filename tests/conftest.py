"""Plugins for all tests: which tests may be skipped, the playground, and options."""

pytest_plugins = ["skip_policy", "peers", "playground_process", "e2e_options"]
