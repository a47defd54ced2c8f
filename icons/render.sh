#!/usr/bin/env bash
# Draws every size of the mark from fettle.svg. Needs Node; run it after changing the drawing.
set -euo pipefail
cd "$(dirname "$0")"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
npx --yes @tauri-apps/cli@2.12 icon fettle.svg --output "$out"
# The mobile and store sizes have no use here.
cp "$out"/{32x32.png,128x128.png,128x128@2x.png,icon.png,icon.icns,icon.ico} .
