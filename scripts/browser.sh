#!/bin/sh
# Find or bring a Chromium for the browser tests, and leave its path in .venv/.browser.
# Order: one that is named or on this machine, Debian's package when root, Playwright's own.
# An empty path means Playwright's own. Usage: browser.sh PYTHON
set -eu
python=$1
note=$(dirname "$(dirname "$python")")/.browser

for candidate in "${REGULARS_CHROMIUM:-}" chromium chromium-browser google-chrome; do
  if [ -n "$candidate" ] && path=$(command -v "$candidate"); then
    echo "$path" > "$note"
    exit 0
  fi
done

if [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
  echo "Installing Debian's chromium for the browser tests ..."
  if apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk > /dev/null; then
    command -v chromium > "$note"
    exit 0
  fi
fi

if "$python" -m playwright install chromium > /dev/null 2>&1; then
  : > "$note"
  exit 0
fi

echo "No browser for the tests: install Chromium (Debian: apt-get install chromium), or name one with REGULARS_CHROMIUM=/path" >&2
exit 1
