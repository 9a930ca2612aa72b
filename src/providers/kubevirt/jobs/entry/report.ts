/**
 * What tells the control plane of a program. It runs as long as the pod, and some time longer than the
 * program: until what is left is sent. It alone has the token, in a folder that the program does not
 * see; so whatever it reads for the program, it reads where the program could have written by itself: a
 * link that the program laid would otherwise make it send the token as log or results.
 */
export const reportScript = String.raw`# Tells the control plane of the program: its log as it grows, its results at the end; brings orders back.
set -u
agent=${"$"}{MILLRACE_AGENT:-/millrace}
ended= gone=
trap 'ended=yes' TERM
# The file that is there now, whatever stands under its name later.
exec 3<"$agent/log" || exit 1
log="/proc/$$/fd/3"
if [ "$(readlink "$log")" != "$(cd "$agent" && pwd -P)/log" ]; then
  echo "the log is not where it was laid" >&2
  exit 1
fi
offset=0
pause=2

size() { stat -L -c %s "$log"; }
seconds() { cut -d. -f1 /proc/uptime; }
rest() { sleep "$1" & wait $!; }

post() {
  curl --silent --show-error --max-time 120 --header "@$MILLRACE_ACCESS" \
    --header 'content-type: application/octet-stream' --write-out '\nstatus %{http_code}\n' "$@"
}

# By the offset the control plane knows what it has: the same bytes twice are the same bytes once. It
# answers with the order, and with the offset that it wants next, also when it has lost some.
send_log() {
  length=$(($(size) - offset))
  if [ "$length" -lt 0 ]; then length=0; fi
  if [ "$length" -gt 262144 ]; then length=262144; fi
  answer=$(dd if="$log" bs=65536 iflag=skip_bytes,count_bytes,fullblock skip="$offset" count="$length" 2>/dev/null |
    post --data-binary @- "$MILLRACE_URL/log?offset=$offset")
  order= wanted= status=
  while read -r word value; do
    case "$word" in
      run | interrupt) order=$word grace=$value ;;
      offset) wanted=$value ;;
      status) status=$value ;;
    esac
  done <<END
$answer
END
  case "$status" in
    200 | 409) ;;
    401 | 404 | 410) gone=yes; return 1 ;;
    *) return 1 ;;
  esac
  case "$wanted" in '' | *[!0-9]*) return 1 ;; *) offset=$wanted ;; esac
  case "$order" in
    interrupt) if [ ! -e "$agent/interrupt" ]; then echo "$grace" >"$agent/interrupt"; fi ;;
    run) rm -f "$agent/interrupt" ;;
  esac
}

# All of it, or fails: nobody can send it later.
send_rest() {
  tries=0
  until [ -n "$gone" ] || [ "$tries" -ge 30 ]; do
    send_log || { tries=$((tries + 1)); rest 2; continue; }
    if [ "$offset" -ge "$(size)" ]; then return 0; fi
  done
  return 1
}

# An empty archive where there is no such directory any more, or one that leads out of the program's own.
results() {
  own=$(cd "$MILLRACE_WORK" && pwd -P) || own=/nowhere
  cd -P "$MILLRACE_RESULTS" 2>/dev/null || { head -c 10240 /dev/zero; return; }
  case "$(pwd -P)/" in
    "$own"/*) tar -c -f - . ;;
    *) head -c 10240 /dev/zero ;;
  esac
}

send_results() {
  results | post --max-time 3600 --request PUT --upload-file - "$MILLRACE_URL/results?log=$offset" | head -c 4096 |
    while read -r word value; do
      case "$word" in too_large) echo done ;; status) echo "$value" ;; esac
    done | head -n 1
}

failed=0
while [ -z "$ended" ]; do
  before=$offset
  if ! send_log; then
    failed=$((failed + 1))
    rest "$((failed < 10 ? failed * 2 : 20))"
    continue
  fi
  failed=0
  if [ "$offset" -lt "$(size)" ]; then continue; fi
  # Every job that is quiet asks less often.
  if [ "$offset" -gt "$before" ]; then pause=2; elif [ "$pause" -lt 5 ]; then pause=$((pause + 1)); fi
  rest "$pause"
done
last=$(($(seconds) + 600))
tries=0
send_rest
while [ "$(seconds)" -lt "$last" ]; do
  case "$(send_results)" in
    200 | done | 401 | 404 | 410) exit 0 ;;
    409) send_rest ;;
  esac
  tries=$((tries < 10 ? tries + 1 : tries))
  rest "$tries"
done
exit 0
`;
