# The browser tests need Debian's Chromium, and a font for Chinese pictures.
set -eu
missing=""
command -v chromium >/dev/null 2>&1 || missing="chromium"
fc-list 2>/dev/null | grep -qi 'noto.*cjk' || missing="${missing:+$missing }fonts-noto-cjk fontconfig"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "The browser tests need $missing; as root: apt-get install $missing" >&2
    exit 1
fi
echo "Installing $missing with apt"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
# shellcheck disable=SC2086 -- the names are words of their own
{ apt-get update && apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    exit 1
}
rm -f "$log"
