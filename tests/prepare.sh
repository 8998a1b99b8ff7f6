# The browser tests need Debian's Chromium, and a font for Chinese pictures.
set -eu
missing=""
command -v chromium >/dev/null 2>&1 || missing="chromium"
fc-list 2>/dev/null | grep -qi 'noto.*cjk' || missing="$missing fonts-noto-cjk"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
    echo "Installing$( [ "${missing# }" = "$missing" ] && echo ' ' )$missing with apt"
    export DEBIAN_FRONTEND=noninteractive
    { apt-get update && apt-get install -y --no-install-recommends $missing fontconfig; } >/tmp/counterside-apt.log 2>&1 ||
        { tail -n 5 /tmp/counterside-apt.log >&2; exit 1; }
else
    echo "The browser tests need$( [ "${missing# }" = "$missing" ] && echo ' ' )$missing; as root: apt-get install $missing" >&2
    exit 1
fi
