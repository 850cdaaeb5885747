#!/bin/sh
# Installs Chromium for the browser tests if this is Debian and root; otherwise prints how to get it.
set -eu

command -v chromium >/dev/null && exit 0

if [ "$(id -u)" -eq 0 ] && [ -f /etc/debian_version ]; then
    echo "Installing Chromium from Debian's packages for the browser tests (about 115 MB, a minute)..." >&2
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends chromium fonts-noto-color-emoji >/dev/null
else
    echo "The browser tests need a command named chromium. On Debian: sudo apt-get install chromium" >&2
fi
