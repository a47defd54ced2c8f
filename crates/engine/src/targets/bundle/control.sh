#!/bin/sh
# Starts and stops this endpoint: start | stop | restart | reload | status | logs | check
# It needs nothing but a POSIX shell. A server that dies is started again, at most once a second.
set -u
here=$(CDPATH= cd -- "$(dirname -- "$0")" && pwd) || exit 1
program=$here/bin/fettle-serve
config=$here/serve.json
state=${FETTLE_STATE_DIR:-$here}
pid_file=$state/supervisor.pid
child_file=$state/server.pid
log=$state/server.log
token=$here/token

fail() { echo "control.sh: $1" >&2; exit 1; }

# True if the process in a file runs.
runs() { [ -f "$1" ] && kill -0 "$(cat "$1" 2>/dev/null)" 2>/dev/null; }

make_token() {
  [ -n "${FETTLE_TOKEN:-}" ] && return
  [ -s "$token" ] && return
  (umask 077; od -An -tx1 -N32 /dev/urandom | tr -d ' \n' > "$token.new" && mv "$token.new" "$token") ||
    fail "cannot write $token"
}

# Keeps the server running until it ends by itself or is told to.
supervise() {
  trap '' HUP
  server=
  trap '[ -n "$server" ] && kill -TERM "$server" 2>/dev/null; wait; rm -f "$pid_file" "$child_file"; exit 0' TERM INT
  while :; do
    "$program" --config "$config" &
    server=$!
    echo "$server" > "$child_file"
    while :; do
      wait "$server"
      code=$?
      kill -0 "$server" 2>/dev/null || break
    done
    [ "$code" -eq 0 ] && break
    # 2 says that the configuration is wrong: starting again would not help.
    [ "$code" -eq 2 ] && break
    echo "control.sh: the server ended with $code and is started again"
    sleep 1
  done
  rm -f "$pid_file" "$child_file"
}

start() {
  runs "$pid_file" && { echo "runs already"; return 0; }
  make_token
  setsid=$(command -v setsid || true)
  : >> "$log" || fail "cannot write $log"
  # One that a crash left behind may name another program by now.
  rm -f "$child_file"
  $setsid sh "$0" supervise >> "$log" 2>&1 < /dev/null &
  echo $! > "$pid_file"
  tries=0
  while [ "$tries" -lt 100 ]; do
    runs "$child_file" && { echo "started"; return 0; }
    runs "$pid_file" || break
    tries=$((tries + 1))
    sleep 0.1
  done
  tail -n 5 "$log" >&2
  fail "the server did not start"
}

stop() {
  runs "$pid_file" || { echo "is stopped"; return 0; }
  kill -TERM "$(cat "$pid_file")"
  tries=0
  while runs "$pid_file"; do
    tries=$((tries + 1))
    [ "$tries" -gt 150 ] && { kill -KILL "$(cat "$child_file")" "$(cat "$pid_file")" 2>/dev/null; break; }
    sleep 0.1
  done
  rm -f "$pid_file" "$child_file"
  echo "stopped"
}

case "${1:-}" in
  start) start ;;
  stop) stop ;;
  restart) stop && start ;;
  reload) runs "$child_file" || fail "it does not run"; kill -HUP "$(cat "$child_file")" ;;
  status) if runs "$child_file"; then echo "runs"; else echo "stopped"; exit 3; fi ;;
  logs) [ -f "$log" ] && tail -n "${2:-100}" "$log" ;;
  check) exec "$program" --config "$config" --check ;;
  token) make_token; cat "$token" ;;
  supervise) supervise ;;
  *) echo "usage: control.sh start | stop | restart | reload | status | logs [LINES] | check | token" >&2; exit 2 ;;
esac
