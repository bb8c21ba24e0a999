#!/bin/sh
# The main job by the command line alone: connect, import a log, detect, triage, block, archive, report, verify.
# Usage: tests/story.sh PATH-TO-WATCHPOST. Needs redis-server, redis-cli and pdftotext.
set -eu

watchpost=$1
log=$(dirname "$0")/data/access.log
work=$(mktemp -d)
export WATCHPOST_HOME="$work/home"
password=correct-horse-battery
socket="$work/redis.sock"

redis() { redis-cli -s "$socket" -a "$password" --no-auth-warning "$@"; }
fail() { echo "story: $*" >&2; exit 1; }
says() { # says WHAT TEXT COMMAND...: the command succeeds and prints the text.
    what=$1; text=$2; shift 2
    "$@" > "$work/out" 2>&1 || { cat "$work/out" >&2; fail "$what: the command failed"; }
    grep -qF -- "$text" "$work/out" || { cat "$work/out" >&2; fail "$what: no \"$text\" in the answer"; }
    echo "ok - $what"
}
refuses() { # refuses WHAT CODE TEXT COMMAND...: the command ends with the code and prints the text.
    what=$1; code=$2; text=$3; shift 3
    got=0
    "$@" > "$work/out" 2>&1 || got=$?
    [ "$got" = "$code" ] || { cat "$work/out" >&2; fail "$what: exit code $got instead of $code"; }
    grep -qF -- "$text" "$work/out" || { cat "$work/out" >&2; fail "$what: no \"$text\" in the answer"; }
    echo "ok - $what"
}

redis-server --port 0 --unixsocket "$socket" --requirepass "$password" --save '' --appendonly no \
    --dir "$work" > "$work/redis.log" 2>&1 &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -rf "$work"' EXIT
tries=0
until redis ping 2>/dev/null | grep -q PONG; do
    tries=$((tries + 1)); [ "$tries" -lt 200 ] || fail "redis-server did not start"
    sleep 0.05
done

# Connect. A wrong password is named as such; the right one is read from a file, as a server would.
printf 'wrong' > "$work/wrong"; printf '%s\n' "$password" > "$work/right"
refuses "a wrong password is named" 1 "password" "$watchpost" connect add wrong \
    --redis "unix://$socket" --redis-password-file "$work/wrong" --database "$work/wrong.db"
says "a connection is saved" 'saved as "shop"' "$watchpost" connect add shop \
    --redis "unix://$socket" --redis-password-file "$work/right" --database "$work/audit.db"
says "it is listed" shop "$watchpost" connect list
grep -rqF "$password" "$WATCHPOST_HOME" && fail "the password is in a file of the console"
export WATCHPOST_CONNECTION=shop WATCHPOST_REDIS_PASSWORD_FILE="$work/right"

# Look before anything is kept.
refuses "a log is looked through" 1 "sqli" "$watchpost" analyze --format combined "$log"
answer=$(printf '%s\n' '{"id":"a","method":"GET","uri":"/p?id=1%27%20OR%20%271%27=%271"}' 'nonsense' | "$watchpost" detect --stdin)
[ "$(printf '%s\n' "$answer" | grep -c '"detected":true')" = 1 ] || fail "detect says: $answer"
[ "$(printf '%s\n' "$answer" | wc -l)" = 2 ] || fail "each line gets an answer: $answer"
says "the rules are listed" wp.sqli "$watchpost" rules list

# Import a real log: the good lines go in, the bad ones are told, a second time adds nothing.
says "the log goes in" "Bad lines" "$watchpost" import --format combined "$log"
keys=$(redis --scan --pattern 'security:a*:*' | wc -l)
[ "$keys" -ge 700 ] || fail "only $keys events in Redis"
says "a second import adds nothing" "Already there" "$watchpost" import --format combined --restart "$log"
[ "$(redis --scan --pattern 'security:a*:*' | wc -l)" = "$keys" ] || fail "the second import added keys"

# Detect.
says "the engine processes what waits" "events processed" "$watchpost" serve --until-idle
says "an injection is an incident" "SQL injection from 203.0.113.7" "$watchpost" incident list
says "so is brute force" "203.0.113.99" "$watchpost" incident list --text 203.0.113.99
says "those that were opened just now are listed" "203.0.113.99" "$watchpost" incident list --opened-since 1h --changed-since 1h
refuses "nothing is since tomorrow" 2 "after it begins" "$watchpost" incident list --opened-since 2999-01-01
says "a second run finds nothing new" "0 events processed" "$watchpost" serve --until-idle

# Triage.
number=$("$watchpost" incident list --text 203.0.113.7 | awk '$1 ~ /^[0-9]+$/ {print $1; exit}')
says "it explains itself" "http.query" "$watchpost" incident show "$number"
says "it is taken" investigating "$watchpost" incident take "$number"
says "a note is kept" "looks automated" "$watchpost" incident note "$number" "looks automated"
refuses "resolving needs a reason" 2 "reason" "$watchpost" incident resolve "$number" --verdict true_positive --reason " "
says "it is resolved" resolved "$watchpost" incident resolve "$number" --verdict true_positive --reason "sqlmap against the shop"
refuses "what is done is not done again" 4 "nothing would change" "$watchpost" incident resolve "$number" \
    --verdict true_positive --reason "sqlmap against the shop"
refuses "it says where a resolved one can go" 4 "it goes to closed, reopened" "$watchpost" incident status "$number" contained
refuses "an incident that is not there is wrong usage" 2 "999" "$watchpost" incident resolve 999 \
    --verdict true_positive --reason "x"
refuses "a cause belongs to its verdict" 2 "no cause of" "$watchpost" incident resolve "$number" --verdict duplicate --cause pentest

# Work on several: every event, escalation, clocks, merging, many at once, suppression.
other=$("$watchpost" incident list --text 203.0.113.99 | awk '$1 ~ /^[0-9]+$/ {print $1; exit}')
says "every event of it is listed" "occurrences" "$watchpost" incident events "$other"
says "it is escalated" critical "$watchpost" incident escalate "$other" --severity critical --to lead --reason "it goes on"
says "its clocks stand" waiting_for_vendor "$watchpost" incident pause "$other" --reason waiting_for_vendor --note "ticket 7" --output json
says "and run again" critical "$watchpost" incident resume "$other"
says "it is handed over" robin "$watchpost" incident handover "$other" robin --note "the vendor answers today"
says "the first one is opened again" reopened "$watchpost" incident reopen "$number" --reason "it came back"
says "the other is merged into it" "$number" "$watchpost" incident merge "$other" --into "$number" --reason "one campaign"
refuses "a merged one is left alone" 4 "is merged into" "$watchpost" incident note "$other" "lost?"
says "nothing of it is lost" "ticket 7" "$watchpost" incident show "$number"
says "and it is taken out again" "$other" "$watchpost" incident split "$other" --reason "two campaigns"
says "what resembles it is listed" SCORE "$watchpost" incident similar "$number"
says "a step of the playbook is checked" "1 of 6 done" "$watchpost" incident step "$number" span --note "complete and aimed"
says "many are changed at once" "2 changed, 1 skipped" "$watchpost" incident bulk "$number" "$other" 9999 --do assign --to kim
undo=$(sed -n 's/.*incident undo //p' "$work/out")
says "and that is taken back" "2 changed, 0 skipped" "$watchpost" incident undo "$undo"
says "robin has it again" robin "$watchpost" incident list --text 203.0.113.99
says "a suppression is previewed" "would not have opened" "$watchpost" incident suppress "$number" --reason "own scanner" --days 5 --dry-run
says "it is made" "ip:203.0.113.7" "$watchpost" incident suppress "$number" --reason "own scanner" --days 5
says "it is listed" "1 in force" "$watchpost" suppression list
id=$(awk '/ip:203.0.113.7/ {print $1; exit}' "$work/out")
says "and taken back" removed "$watchpost" suppression remove "$id" --reason "it was no scanner of ours"
says "it is resolved with a cause" resolved "$watchpost" incident resolve "$number" --verdict true_positive --cause attack_blocked
says "rules have a record" "too few verdicts" "$watchpost" incident feedback

# Block. The key is in Redis with its TTL; nobody locks themselves out.
refuses "loopback is never blocked" 4 "loopback" "$watchpost" block add 127.0.0.1 --reason test
says "the address is blocked" active "$watchpost" block add 203.0.113.7 --reason "SQL injection" --ttl 2h --incident "$number"
ttl=$(redis ttl security:blocked:203.0.113.7)
[ "$ttl" -gt 7100 ] && [ "$ttl" -le 7200 ] || fail "the TTL of the block is $ttl"
says "the office is on the allowlist" 198.51.100.0/24 "$watchpost" block allow 198.51.100.0/24 --note office
refuses "the allowlist holds" 4 allowlist "$watchpost" block add 198.51.100.20 --reason test

# Retention: the preview changes nothing; the run archives and removes.
says "the preview counts" "Events" "$watchpost" retention --days 0 --dry-run
[ "$(redis --scan --pattern 'security:a*:*' | wc -l)" = "$keys" ] || fail "the preview removed keys"
says "retention runs" "done" "$watchpost" retention --days 0
left=$(redis --scan --pattern 'security:a[pu]*:*' | wc -l)
[ "$left" = 0 ] || fail "$left events are still in Redis"
says "the events are in the archive" "GET" "$watchpost" events 'UNION' --output json
says "optimise runs" "done" "$watchpost" optimize
[ "$(redis ttl security:blocked:203.0.113.7)" -gt 0 ] || fail "the block is gone"

# Report: exit code 0 or 1 (a control warns or fails), files either way.
"$watchpost" report generate --framework soc2 --from 2026-11-01 --to 2026-12-01 --format pdf,csv,json,md \
    --out "$work" > "$work/out" 2>&1 || [ $? = 1 ] || { cat "$work/out" >&2; fail "the report was not made"; }
pdftotext -layout "$work/soc2-20261101-20261201.pdf" "$work/report.txt"
for text in "SOC 2" "CC6" "page 2 of"; do
    grep -qiF -- "$text" "$work/report.txt" || fail "no \"$text\" in the PDF"
done
grep -q CC6 "$work/soc2-20261101-20261201.csv" || fail "no control in the CSV"
echo "ok - the report is made"

# The trail.
says "blocking is in the trail" "block/203.0.113.7" "$watchpost" audit list block_add
says "refusals are in the trail" failure "$watchpost" audit list block_add
says "the trail holds" "the trail holds" "$watchpost" audit verify
says "the block is taken back" removed "$watchpost" block remove 203.0.113.7 --reason "done"
[ "$(redis exists security:blocked:203.0.113.7)" = 0 ] || fail "the key of the block is still there"

echo "story: all of it works"
