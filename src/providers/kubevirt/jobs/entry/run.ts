/**
 * What runs the customer's program, in his image, with the busybox that `fetch` laid beside it. He can do
 * to it what he likes: what it says at the end is his word too, and may make an attempt cost, never free.
 */
export const runScript = String.raw`# Runs one program: bounds its log, keeps its time limit, saves its work when told to end.
set -u
agent=${"$"}{MILLRACE_AGENT:-/millrace}
image_path=${"$"}{PATH:-/usr/local/bin:/usr/bin:/bin}
PATH="$agent/bin:$image_path"
log="$agent/log"
if [ -n "${"$"}{RANK:-}" ] && [ -z "${"$"}{NODE_RANK:-}" ]; then export NODE_RANK="$RANK"; fi
mkdir -p "$MILLRACE_RESULTS"
if [ -n "${"$"}{MILLRACE_SAVE:-}" ]; then mkdir -p "$MILLRACE_CHECKPOINT"; fi
cd "$MILLRACE_WORK" || exit 75
rm -f "$agent/output" "$agent/why" "$agent/saved" "$agent/hook" "$agent/terminated"
: >"$log"
mkfifo "$agent/output" || exit 75

seconds() { cut -d. -f1 /proc/uptime; }

# One read at a time, so that a line is there when it was printed. What is too much, and what the disk
# does not take, is read and dropped: a program does not stop because of its log.
keep_log() {
  exec 3>&-
  size=0
  while [ "$size" -lt "$MILLRACE_LOG_BYTES_MAX" ]; do
    room=$((MILLRACE_LOG_BYTES_MAX - size))
    if [ "$room" -gt 65536 ]; then room=65536; fi
    dd bs="$room" count=1 >>"$log" 2>/dev/null
    now=$(stat -c %s "$log")
    if [ "$now" -eq "$size" ]; then break; fi
    size=$now
  done
  cat >/dev/null
}

finish() {
  echo "$1" >"$agent/why"
  kill -TERM "-$program" 2>/dev/null
  left=$2
  while [ "$left" -gt 0 ] && kill -0 "-$program" 2>/dev/null; do
    sleep 1
    left=$((left - 1))
  done
  kill -KILL "-$program" 2>/dev/null
}

# Fails if it was taken back in time.
interrupted() {
  grace=$(cat "$agent/terminated" "$agent/interrupt" 2>/dev/null | head -n 1)
  last=$(($(seconds) + ${"$"}{grace:-0}))
  if [ -n "${"$"}{MILLRACE_SAVE:-}" ]; then
    line="env PATH=\"\$image_path\" $MILLRACE_SAVE; : >\"\$saved\""
    image_path="$image_path" saved="$agent/saved" setsid sh -c "$line" </dev/null >>"$agent/output" 2>&1 &
    hook=$!
    echo "$hook" >"$agent/hook"
    while [ ! -e "$agent/saved" ] && [ "$(seconds)" -lt "$last" ]; do
      if [ ! -e "$agent/terminated" ] && [ ! -e "$agent/interrupt" ]; then
        kill -KILL "-$hook" 2>/dev/null
        return 1
      fi
      sleep 1
    done
  fi
  left=$((last - $(seconds)))
  if [ -n "${"$"}{MILLRACE_SAVE:-}" ] && { [ "$left" -gt 5 ] || [ "$left" -lt 1 ]; }; then left=5; fi
  finish interrupted "$left"
}

watch() {
  exec 3>&-
  limit=$(($(seconds) + MILLRACE_TIME_LIMIT_SECONDS))
  while sleep 1; do
    if [ -e "$agent/terminated" ] || [ -e "$agent/interrupt" ]; then
      if interrupted; then return; fi
    elif [ "$(seconds)" -ge "$limit" ]; then
      finish timed_out 5
      return
    fi
  done
}

# Held open here, so that a program that closes its output does not end the log of what comes after it.
# Functions let go of it themselves: redirected at a call, a shell would keep a copy.
exec 3<>"$agent/output"
keep_log <"$agent/output" &
keeper=$!
trap 'echo "$MILLRACE_GRACE_SECONDS" >"$agent/terminated"' TERM
setsid env PATH="$image_path" "$@" </dev/null >"$agent/output" 2>&1 3>&- &
program=$!
watch </dev/null >/dev/null 2>&1 &
watcher=$!
while :; do
  wait "$program"
  code=$?
  kill -0 "$program" 2>/dev/null || break
done
why=$(cat "$agent/why" 2>/dev/null)
# For sure: a fresh shell that has yet to take over its signals would lose a gentler one.
kill -KILL "$watcher" 2>/dev/null
kill -KILL "-$program" 2>/dev/null
if [ -e "$agent/hook" ]; then kill -KILL "-$(cat "$agent/hook")" 2>/dev/null; fi
exec 3>&-
# What it left running may hold the log open; the pod ends it with us.
tries=0
while kill -0 "$keeper" 2>/dev/null && [ "$tries" -lt 50 ]; do
  tries=$((tries + 1))
  sleep 0.1
done
kill -KILL "$keeper" 2>/dev/null
case "$why" in
  timed_out) exit_code=124 ;;
  interrupted) exit_code=143 ;;
  *)
    exit_code=$code
    why=exited
    if [ "$code" -gt 128 ] && [ "$code" -lt 193 ]; then why=signaled; fi
    ;;
esac
printf '{"end":"%s","code":%d}' "$why" "$code" >"$MILLRACE_END" 2>/dev/null
exit "$exit_code"
`;
