# The browser tests need Debian's Chromium, and a font for Chinese pictures; those of the gradebook need PostgreSQL.
set -eu
missing=""
command -v chromium >/dev/null 2>&1 || missing="chromium"
fc-list 2>/dev/null | grep -qi 'noto.*cjk' || missing="${missing:+$missing }fonts-noto-cjk fontconfig"
PATH="$PATH:$(echo /usr/lib/postgresql/*/bin | tr ' ' ':')" command -v initdb >/dev/null 2>&1 ||
    missing="${missing:+$missing }postgresql"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "The tests need $missing; as root: apt-get install $missing" >&2
    exit 1
fi
echo "Installing $missing with apt"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
case $missing in
*postgresql*)
    # The tests start a server of their own; Debian need not start another.
    mkdir -p /etc/postgresql-common/createcluster.d
    echo "create_main_cluster = false" >/etc/postgresql-common/createcluster.d/counterside.conf
    ;;
esac
# shellcheck disable=SC2086 -- the names are words of their own
{ apt-get update && apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1 || {
    tail -n 5 "$log" >&2
    exit 1
}
rm -f "$log" /etc/postgresql-common/createcluster.d/counterside.conf
