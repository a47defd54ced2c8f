# What is done on the other machine; it comes there on standard input and needs a POSIX shell only.
# Arguments: what to do, the folder of the deployment, its name, and what the verb needs beyond that.
set -u
verb=$1
base=$2
name=$3
unit=fettle-$name.service
units=${XDG_CONFIG_HOME:-$HOME/.config}/systemd/user

fail() { echo "$1" >&2; exit 1; }

# True if this user's systemd takes units.
has_systemd() {
  command -v systemctl > /dev/null 2>&1 || return 1
  case $(systemctl --user is-system-running 2> /dev/null) in running | degraded | starting) ;; *) return 1 ;; esac
}
is_unit() { [ -f "$units/$unit" ] && has_systemd; }
control() { FETTLE_STATE_DIR=$base/state sh "$base/current/control.sh" "$@" < /dev/null; }

look() {
  echo "system=$(uname -s)"
  echo "machine=$(uname -m)"
  echo "home=$HOME"
  if has_systemd; then echo "systemd=yes"; else echo "systemd=no"; fi
}

# Puts an unpacked revision where it belongs. What was there under its number was never finished.
keep() {
  rm -rf "$base/revisions/$1"
  mkdir -p "$base/revisions" "$base/state" && chmod 700 "$base" "$base/state" &&
    mv "$base/incoming" "$base/revisions/$1" || fail "cannot write below $base"
}

stop_trial() {
  [ -f "$base/trial.pid" ] || return 0
  pid=$(cat "$base/trial.pid")
  # The id may be another program's by now.
  args=$(tr '\0' ' ' 2> /dev/null < "/proc/$pid/cmdline" || ps -o args= -p "$pid" 2> /dev/null)
  case $args in *"$base/revisions/"*) kill -TERM "$pid" 2> /dev/null ;; esac
  rm -f "$base/trial.pid"
}

# Starts a revision that was copied on a free port beside what serves, and prints the port.
trial() {
  stop_trial
  keep "$1"
  dir=$base/revisions/$1
  # Emptied before the server is there to do it: the last trial's port must not be taken for this one's.
  : > "$base/trial.log" || fail "cannot write below $base"
  nohup "$dir/bin/fettle-serve" --config "$dir/serve.json" --host 127.0.0.1 --port 0 \
    < /dev/null > "$base/trial.log" 2>&1 &
  pid=$!
  echo "$pid" > "$base/trial.pid"
  tries=0
  while [ "$tries" -lt 200 ]; do
    port=$(sed -n 's/.*"listening":"[a-z]*:\/\/[^"]*:\([0-9]*\)".*/\1/p' "$base/trial.log" | head -n 1)
    [ -n "$port" ] && { echo "$port"; return 0; }
    kill -0 "$pid" 2> /dev/null || break
    tries=$((tries + 1))
    sleep 0.1
  done
  tail -n 5 "$base/trial.log" >&2
  stop_trial
  fail "the server did not start there"
}

point() {
  rm -f "$base/current.new"
  ln -s "revisions/$1" "$base/current.new" || fail "cannot write below $base"
  # One rename, where mv can tell a link from the folder behind it.
  mv -fT "$base/current.new" "$base/current" 2> /dev/null || mv -fh "$base/current.new" "$base/current" 2> /dev/null ||
    { rm -f "$base/current" && mv "$base/current.new" "$base/current"; } || fail "cannot switch $base/current"
}

write_unit() {
  mkdir -p "$units" || fail "cannot write $units"
  sed "s|@BASE@|$base|g" "$base/current/systemd/unit" > "$units/$unit" || fail "cannot write $units/$unit"
  # So that it goes on when this user signs out, and starts with the machine.
  loginctl enable-linger > /dev/null 2>&1 || echo "linger=no"
  systemctl --user daemon-reload && systemctl --user enable "$unit" > /dev/null 2>&1 || fail "systemd does not take $unit"
}

# Makes a revision the one that serves. $2 is `keep` if a server that runs may load it, else `renew`, $3
# what is to keep it running; prints `load` if the caller is to let it.
switch() {
  stop_trial
  before=$(readlink "$base/current" 2> /dev/null || true)
  how=$2
  [ -n "$before" ] && cmp -s "$base/$before/bin/fettle-serve" "$base/revisions/$1/bin/fettle-serve" || how=renew
  state=$(status)
  [ "$state" = runs ] || how=renew
  if [ "$how" = renew ] && [ "$state" = runs ]; then stop; fi
  point "$1"
  if [ "$3" = systemd ]; then
    write_unit
    [ "$how" = keep ] || systemctl --user restart "$unit" || fail "systemd does not start $unit"
  else
    rm -f "$units/$unit"
    [ "$how" = keep ] || control start > /dev/null || fail "the server did not start"
  fi
  [ "$how" = keep ] && echo load
  return 0
}

status() {
  if is_unit && systemctl --user is-active --quiet "$unit"; then echo runs
  elif [ -e "$base/current/control.sh" ] && control status > /dev/null 2>&1; then echo runs
  else echo stopped; fi
}

stop() {
  if is_unit; then systemctl --user disable --now "$unit" > /dev/null 2>&1; fi
  if [ -e "$base/current/control.sh" ]; then control stop > /dev/null; fi
}

# Leaves the revisions that are named.
prune() {
  stop_trial
  for dir in "$base/revisions"/*; do
    [ -d "$dir" ] || continue
    stays=no
    for one in "$@"; do [ "$dir" = "$base/revisions/$one" ] && stays=yes; done
    [ "$stays" = yes ] || rm -rf "$dir"
  done
}

remove() {
  stop_trial
  stop
  rm -f "$units/$unit"
  if has_systemd; then systemctl --user daemon-reload; fi
  rm -rf "$base"
}

shift 3
case $verb in
  look) look ;;
  trial) trial "$1" ;;
  switch) switch "$1" "$2" "$3" ;;
  status) status ;;
  stop) stop ;;
  log) tail -c 262144 "$base/state/server.log" 2> /dev/null || true ;;
  prune) prune "$@" ;;
  remove) remove ;;
  *) fail "there is no verb $verb" ;;
esac
