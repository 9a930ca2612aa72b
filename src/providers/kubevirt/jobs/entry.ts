/**
 * The three small shell scripts that stand around a customer's program in its pod: one fetches its
 * inputs, one runs it, one tells the control plane of it. They are data of the cluster (a ConfigMap
 * named after their content), so that what ran with which script can be seen there. Each needs a shell
 * and the tools of busybox; the middle one brings them along, because the customer's image may have none.
 */
import type { ConfigMap } from "#providers/kubevirt/objects/jobs.ts";
import { ourLabels } from "#providers/kubevirt/compile/labels.ts";

import type { JobPlace } from "./model.ts";
import { contentName } from "./names.ts";

/** Exits 76 if the attempt is over: whoever starts it again, its program does not run twice. */
export const fetchScript = String.raw`# Brings the inputs, once, before the program starts.
set -u
agent=${"$"}{MILLRACE_AGENT:-/millrace}
mkdir -p "$agent/bin"
if command -v busybox >/dev/null 2>&1; then
  cp "$(command -v busybox)" "$agent/bin/busybox"
  "$agent/bin/busybox" --install -s "$agent/bin"
fi
archive="$MILLRACE_WORK/.inputs.tar"
status=$(curl --silent --show-error --max-time 3600 --retry 5 --retry-connrefused \
  --header "@$MILLRACE_ACCESS" --output "$archive" --write-out '%{http_code}' "$MILLRACE_URL/inputs")
case "$status" in
  200) tar -x -C "$MILLRACE_WORK" -f "$archive" || { echo "the inputs cannot be unpacked" >&2; exit 75; } ;;
  204) ;;
  404 | 409 | 410) echo "this attempt is over" >&2; exit 76 ;;
  *) echo "the inputs cannot be fetched: status $status" >&2; exit 75 ;;
esac
rm -f "$archive"
`;

/** What it says at the end is the program's word too: it may make an attempt cost, never free. */
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

# One read at a time, so that a line is there when it was printed. What is too much is read and dropped.
keep_log() {
  size=0
  while [ "$size" -lt "$MILLRACE_LOG_BYTES_MAX" ]; do
    room=$((MILLRACE_LOG_BYTES_MAX - size))
    if [ "$room" -gt 65536 ]; then room=65536; fi
    dd bs="$room" count=1 >>"$log" 2>/dev/null
    now=$(wc -c <"$log")
    if [ "$now" -eq "$size" ]; then return; fi
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

keep_log <"$agent/output" &
keeper=$!
trap 'echo "$MILLRACE_GRACE_SECONDS" >"$agent/terminated"' TERM
setsid env PATH="$image_path" "$@" </dev/null >"$agent/output" 2>&1 &
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

/** Runs as long as the pod, and some time longer than the program: until what is left is sent. */
export const reportScript = String.raw`# Tells the control plane of the program: its log as it grows, its results at the end; brings orders back.
set -u
agent=${"$"}{MILLRACE_AGENT:-/millrace}
log="$agent/log"
offset=$(cat "$agent/offset" 2>/dev/null || echo 0)
ended=
trap 'ended=yes' TERM

api() {
  curl --silent --show-error --fail --max-time 3600 --header "@$MILLRACE_ACCESS" \
    --header 'content-type: application/octet-stream' "$@"
}

# By the offset the control plane knows what it has: the same bytes twice are the same bytes once.
send_log() {
  size=$(wc -c <"$log" 2>/dev/null || echo 0)
  length=$((size - offset))
  if [ "$length" -gt 262144 ]; then length=262144; fi
  tail -c "+$((offset + 1))" "$log" 2>/dev/null | head -c "$length" |
    api --retry 3 --retry-connrefused --data-binary @- "$MILLRACE_URL/log?offset=$offset" >"$agent/answer" || return 1
  offset=$((offset + length))
  echo "$offset" >"$agent/offset"
  read -r order grace <"$agent/answer" || return 0
  case "$order" in
    interrupt) if [ ! -e "$agent/interrupt" ]; then echo "$grace" >"$agent/interrupt"; fi ;;
    run) rm -f "$agent/interrupt" ;;
  esac
}

while [ -z "$ended" ]; do
  send_log
  if [ "$offset" -ge "$(wc -c <"$log" 2>/dev/null || echo 0)" ]; then
    sleep 2 &
    wait $!
  fi
done
tries=0
while [ "$offset" -lt "$(wc -c <"$log" 2>/dev/null || echo 0)" ] && [ "$tries" -lt 20 ]; do
  send_log || { tries=$((tries + 1)); sleep 1; }
done
tries=0
until [ "$tries" -ge 5 ] || tar -c -C "$MILLRACE_RESULTS" -f - . |
  api --request PUT --upload-file - "$MILLRACE_URL/results?log=$offset"; do
  tries=$((tries + 1))
  sleep 1
done
exit 0
`;

const scripts = { fetch: fetchScript, run: runScript, report: reportScript };

export const scriptsName = contentName("millrace-entry", Object.values(scripts));

/** One of a namespace, for all its jobs. It is never changed: another text has another name. */
export function scriptsMap({ site, namespace }: JobPlace): ConfigMap {
  return {
    apiVersion: "v1",
    kind: "ConfigMap",
    metadata: { name: scriptsName, namespace, labels: ourLabels(site.controlPlaneId) },
    immutable: true,
    data: scripts,
  };
}

/** One word of a shell line, whatever is in it. */
export function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
