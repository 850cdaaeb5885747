#!/bin/sh
# Downloads axe-core (MPL-2.0), which the browser tests check the playground's page with, if npm is there to do it.
set -eu

version=4.14.1
sha256=29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c
folder=.venv-dev/axe-core # make_env.py removes the environment, and this folder with it, when the locks change
file=$folder/axe.min.js

is_current() { [ -f "$1" ] && echo "$sha256  $1" | sha256sum --check --status; }

is_current "$file" && exit 0

if ! command -v npm >/dev/null; then
    echo "The accessibility tests need axe-core $version, which npm downloads. On Debian: sudo apt-get install npm" >&2
    exit 0
fi

echo "Downloading axe-core $version for the accessibility tests (about 600 KB)..." >&2
part=$(mktemp -d)
trap 'rm -rf "$part"' EXIT
npm pack "axe-core@$version" --silent --pack-destination "$part" >/dev/null
tar -xzf "$part/axe-core-$version.tgz" -C "$part" package/axe.min.js
if ! is_current "$part/package/axe.min.js"; then
    echo "axe-core $version does not have the expected SHA-256 checksum, so it is not installed." >&2
    exit 1
fi
mkdir -p "$folder"
mv "$part/package/axe.min.js" "$file"
