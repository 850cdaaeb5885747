"""What all tests share: the policies that decide which tests may be skipped, and the playground."""

pytest_plugins = ["skip_policy", "peers", "playground_process", "e2e_options"]
