"""Plugins for all tests: the skip policy, the playground, and command-line options."""

pytest_plugins = ["skip_policy", "peers", "playground_process", "e2e_options"]
