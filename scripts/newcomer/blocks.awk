# Prints the lines to type that stand under a heading of a document: awk -v heading='Try it' -f blocks.awk FILE. An empty heading is
# what stands before the first one. Lines to type are indented by four (by seven in a list), or between ``` and ```.
function title(line) { sub(/^#+ +/, "", line); return line }
BEGIN { on = heading == ""; level = 2 }
/^```/ { fenced = !fenced; next }
!fenced && /^#+ / {
    match($0, /^#+/)
    if (RLENGTH == 1 && heading == "") next
    if (on && RLENGTH <= level) on = 0
    if (heading != "" && title($0) == heading) { on = 1; level = RLENGTH }
    next
}
!on { next }
fenced { print; next }
/^       [^ |]/ { print substr($0, 8); next }
/^    [^ |]/ { print substr($0, 5) }
