# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of ovs-appctl, ovs-ofctl, ovs-dpctl and ovsdb-tool, for bash 4 and newer.
#
#   . ovs-appctl-bashcomp.bash          complete them in this shell
#   bash ovs-appctl-bashcomp.bash debug WORD...
#                                       print what the words complete to; a last word "TAB"
#                                       stands for one that isn't begun
#
# Each of the programs tells its options (`--option`) and commands (`list-commands`). In a
# command's usage, {a|b} are alternatives, [a|b] may be left out, and words like "bridge"
# stand for what exists. Parts in brackets that hold several words are beyond us. The first
# TAB completes; the second one also shows the usage and what its words may stand for.

_ovs_appctl_targets='ovs-vswitchd ovsdb-server ovs-ofctl'

# Tell the user something on a line of its own, from the second TAB on.
_ovs_appctl_say() {
    [ -z "$talking" ] || printf '\n%s' "$1" >&2
}

# What exists. Each prints the names that begin with $1.

_ovs_appctl_bridges() { ovs-vsctl list-br 2>/dev/null | grep -- "^$1"; }

_ovs_appctl_ports() {
    ovs-vsctl --format=table --no-headings --columns=name list Port 2>/dev/null |
        tr -d '" ' | sort -u | grep -- "^$1"
}

_ovs_appctl_ifaces() {
    local bridge
    for bridge in $(ovs-vsctl list-br 2>/dev/null); do
        ovs-vsctl list-ifaces "$bridge" 2>/dev/null
    done
}

_ovs_appctl_datapaths() {
    ovs-appctl dpctl/dump-dps 2>/dev/null | cut -d@ -f2 | grep -- "^$1"
}

# Print what a usage's word may stand for, if that is known: names beginning with $2.
_ovs_appctl_names() {
    case $1 in
    bridge | switch) _ovs_appctl_bridges "$2" ;;
    port) _ovs_appctl_ports "$2" ;;
    interface | iface) _ovs_appctl_ifaces "$2" ;;
    dp | dp_name) _ovs_appctl_datapaths "$2" ;;
    *) return 1 ;;
    esac
    return 0
}

# What the program $command offers.

_ovs_appctl_usages() {
    "$command" ${target:+--target "$target"} list-commands 2>/dev/null | tail -n +2 |
        cut -c3- | tr -s ' '
}

_ovs_appctl_options() { "$command" --option 2>/dev/null | sed -n '/^--/p'; }

# Print the words of usages (a line each, on standard input) that may come next.
_ovs_appctl_next_words() {
    local usage word
    while read -ra usage; do
        for word in "${usage[@]}"; do
            case $word in
            \[*\])
                word=${word#\[}
                printf '%s\n' "${word%\]}"
                ;;
            \[*) break ;;
            *)
                printf '%s\n' "$word"
                break
                ;;
            esac
        done
    done | tac | tr '|' '\n'
}

# Print what is left of usages behind the word $1.
_ovs_appctl_behind() {
    local usage words index
    while read -ra usage; do
        for index in "${!usage[@]}"; do
            words=${usage[index]#\[}
            if [[ "|${words%\]}|" == *"|$1|"* ]]; then
                printf '%s\n' "${usage[*]:index+1}"
                break
            fi
        done
    done | sed '/^$/d'
}

# Print a usage with each of its alternatives in braces.
_ovs_appctl_alternatives() {
    local inside choice choices
    if [[ $1 =~ \{(.*)\} ]]; then
        inside=${BASH_REMATCH[1]}
        IFS='|' read -ra choices <<<"$inside"
        for choice in "${choices[@]}"; do
            printf '%s\n' "${1/"{$inside}"/"$choice"}"
        done
    else
        printf '%s\n' "$1"
    fi
}

# Print which word of usages the user's word $1 is, of those in $2.
_ovs_appctl_meaning() {
    local word unknown=()
    for word in $2; do
        if names=$(_ovs_appctl_names "$word" "$1"); then
            [ -n "$names" ] || continue
        elif [ "$word" != "$1" ]; then
            [[ $word == -* ]] || unknown+=("$word")
            continue
        fi
        printf '%s\n' "$word"
        return
    done
    # The only one about which nothing is known must be it.
    if [ ${#unknown[@]} -eq 1 ]; then printf '%s\n' "${unknown[0]}"; fi
}

# Set `candidates` to what comes behind a command and its first arguments.
_ovs_appctl_arguments() {
    local usage usages word meaning names header words
    usage=$(_ovs_appctl_usages | awk -v name="$1" '$1 == name')
    usages=$(_ovs_appctl_alternatives "$usage")
    for word in "$@"; do
        meaning=$(_ovs_appctl_meaning "$word" "$(_ovs_appctl_next_words <<<"$usages")")
        [ -n "$meaning" ] || return 0
        usages=$(_ovs_appctl_behind "$meaning" <<<"$usages")
    done
    mapfile -t words < <(_ovs_appctl_next_words <<<"$usages")
    [ ${#words[@]} -gt 0 ] || return 0
    found=1
    _ovs_appctl_say $'\n'"Command format:"$'\n'"$usage"
    header=$'\n'"Argument expansion:"$'\n'
    for word in "${words[@]}"; do
        if [[ $word == -* ]]; then
            names="$word "
        else
            names=$(_ovs_appctl_names "$word" '' | tr -s '\n' ' ')
        fi
        _ovs_appctl_say "$header     available completions for keyword \"$word\": $names "
        header=
        # shellcheck disable=SC2206
        candidates+=($names)
    done
}

# Set `candidates` to what may come behind the words; `found` says whether anything may.
_ovs_appctl_walk() {
    local option
    while [ $# -gt 0 ]; do
        if [ "$command $1" = 'ovs-appctl --target' ]; then
            target=ovs-vswitchd
            if [ $# -eq 1 ]; then
                # shellcheck disable=SC2206
                candidates=($_ovs_appctl_targets) found=1
                return
            fi
            if [[ " $_ovs_appctl_targets " == *" $2 "* ]]; then target=$2; fi
            shift
        elif [[ $1 == -* ]]; then
            option=$(_ovs_appctl_options | grep -x -- "$1\(=.*\)\?")
            if [ -z "$option" ]; then
                mapfile -t candidates < <(_ovs_appctl_options | cut -d= -f1)
                found=1
                return
            fi
            if [[ $option == *=* ]]; then
                if [ $# -eq 1 ]; then
                    _ovs_appctl_say $'\n'"Option requires an arugment."
                    return
                fi
                shift
            fi
        else
            _ovs_appctl_arguments "$@"
            return
        fi
        shift
    done
    mapfile -t candidates < <(
        _ovs_appctl_usages | cut -d' ' -f1
        _ovs_appctl_options | cut -d= -f1
    )
    found=1
}

_ovs_appctl_complete() {
    local command=${COMP_WORDS[0]} current=${COMP_WORDS[COMP_CWORD]}
    local talking='' target='' candidates=() found='' prompt
    [ "$COMP_TYPE" = 9 ] || talking=1
    _ovs_appctl_walk "${COMP_WORDS[@]:1:COMP_CWORD-1}"
    mapfile -t candidates < <(printf '%s\n' "${candidates[@]}" | sed '/^$/d' | sort -u)
    if [ -n "$found" ]; then
        if printf '%s\n' "${candidates[@]}" | sed '/^$/d' | grep -q -- "^$current"; then
            _ovs_appctl_say $'\n'"Available completions:"$'\n'
        elif [ -z "$debugging" ]; then
            prompt=${PS1@P}
            _ovs_appctl_say "$prompt${COMP_WORDS[*]}"
        fi
    fi
    _ovs_appctl_offer
}

_ovs_appctl_offer() {
    if [ -n "$debugging" ]; then
        _ovs_appctl_say "$(printf '%s\n' "${candidates[@]}" | grep -- "$current")"$'\n'
    elif [ -n "$found" ]; then
        mapfile -t COMPREPLY < <(compgen -W "${candidates[*]}" -- "$current")
        # Let bash list even a single candidate at the first TAB, which has shown no usage.
        if [ -z "$talking" ] && [ -z "$current" ]; then COMPREPLY+=(none void no-op); fi
    else
        compopt -o nospace
        _filedir
    fi
}

debugging=
if [ "$1" = debug ]; then
    shift
    debugging=1
    COMP_TYPE=0
    COMP_WORDS=("$@")
    COMP_CWORD=$(($# - 1))
    if [ "${COMP_WORDS[COMP_CWORD]}" = TAB ]; then COMP_WORDS[COMP_CWORD]=''; fi
    _ovs_appctl_complete
else
    complete -F _ovs_appctl_complete ovs-appctl ovs-ofctl ovs-dpctl ovsdb-tool
fi
