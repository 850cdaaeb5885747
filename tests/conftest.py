"""What all tests share: the policies that decide which tests may be skipped."""

pytest_plugins = ["skip_policy", "peers"]
