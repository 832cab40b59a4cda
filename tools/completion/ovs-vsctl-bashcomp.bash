# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Completion of ovs-vsctl's command lines, for bash 4 and newer.
#
#   . ovs-vsctl-bashcomp.bash           complete ovs-vsctl in this shell
#   bash ovs-vsctl-bashcomp.bash test 'LINE'
#                                       print what LINE, behind "ovs-vsctl ", completes to
#
# `ovs-vsctl --commands` tells the grammar, a command a line: "[OPTION] ... ,NAME,ARGUMENT ...".
# An argument's first character says how often it stands: ! once, ? at most once, * any number
# of times, + at least once; the rest is its type, or types with | between them. Every word
# before the cursor is completed too: what it may be tells which argument comes next.

_ovs_vsctl_commands=
_ovs_vsctl_options=
_ovs_vsctl_location=
declare -A _ovs_vsctl_given _ovs_vsctl_created

# The functions that print the candidates for a word, by the type of the argument.
declare -A _ovs_vsctl_types=(
    [TABLE]=_ovs_vsctl_tables
    [RECORD]=_ovs_vsctl_records
    [BRIDGE]=_ovs_vsctl_bridges
    [PARENT]=_ovs_vsctl_bridges
    [PORT]=_ovs_vsctl_ports
    [IFACE]=_ovs_vsctl_ifaces
    [SYSIFACE]=_ovs_vsctl_sysifaces
    [COLUMN]=_ovs_vsctl_columns
    [COLUMN?:KEY]=_ovs_vsctl_column_keys
    [COLUMN?:KEY=VALUE]=_ovs_vsctl_column_keys
    [KEY]=_ovs_vsctl_keys
    [KEY=VALUE]=_ovs_vsctl_key_values
    [?KEY=VALUE]=_ovs_vsctl_key_values
    [VALUE]=_ovs_vsctl_as_is
    [ARG]=_ovs_vsctl_as_is
    [PRIVATE-KEY]=_ovs_vsctl_files
    [CERTIFICATE]=_ovs_vsctl_files
    [CA-CERT]=_ovs_vsctl_files
    [MODE]=_ovs_vsctl_fail_modes
    [TARGET]=_ovs_vsctl_targets
    [--]=_ovs_vsctl_separator
)
# Types whose candidates go on behind the word, without a space.
_ovs_vsctl_open_types=' COLUMN?:KEY COLUMN?:KEY=VALUE KEY=VALUE ?KEY=VALUE TARGET '

_ovs_vsctl() {
    ovs-vsctl ${_ovs_vsctl_location:+"--db=$_ovs_vsctl_location"} "$@"
}

# Let pass the lines that begin with $1, whatever characters it has.
_ovs_vsctl_beginning() {
    local line
    while IFS= read -r line; do
        if [[ $line == "$1"* ]]; then printf '%s\n' "$line"; fi
    done
}

# What an argument may be. Each prints the candidates for the word $1.

_ovs_vsctl_tables() {
    ovsdb-client --no-heading list-tables ${_ovs_vsctl_location:+"$_ovs_vsctl_location"} \
        Open_vSwitch | _ovs_vsctl_beginning "$1"
}

_ovs_vsctl_records() {
    local table=${_ovs_vsctl_given[TABLE]} column
    for column in _uuid name; do # not every table has names
        _ovs_vsctl --no-heading -f table -d bare --columns=$column list "$table" 2>/dev/null |
            _ovs_vsctl_beginning "$1"
    done
    printf '%s\n' "${_ovs_vsctl_created[${table^^}]}"
}

_ovs_vsctl_bridges() { _ovs_vsctl list-br | _ovs_vsctl_beginning "$1"; }

_ovs_vsctl_ports() {
    if [ -n "${_ovs_vsctl_given[BRIDGE]}" ]; then
        _ovs_vsctl list-ports "${_ovs_vsctl_given[BRIDGE]}"
    else
        _ovs_vsctl --format=table --no-headings --columns=name list Port | tr -d '" '
    fi | _ovs_vsctl_beginning "$1"
}

# Of all bridges, every name is offered, to be chosen from.
_ovs_vsctl_ifaces() {
    local bridge
    if [ -n "${_ovs_vsctl_given[BRIDGE]}" ]; then
        _ovs_vsctl list-ifaces "${_ovs_vsctl_given[BRIDGE]}"
    else
        for bridge in $(_ovs_vsctl list-br); do
            _ovs_vsctl list-ifaces "$bridge"
        done
    fi
}

_ovs_vsctl_sysifaces() {
    ip -o link 2>/dev/null | cut -d: -f2 | tr -d ' ' | _ovs_vsctl_beginning "$1"
}

# Print a table's columns, those that hold maps with $2 behind them.
_ovs_vsctl_list_columns() {
    ovsdb-client --no-headings list-columns ${_ovs_vsctl_location:+"$_ovs_vsctl_location"} \
        Open_vSwitch "$1" | awk -v mark="$2" '{ print $1 (/key.*value/ ? mark : "") }'
}

_ovs_vsctl_columns() {
    _ovs_vsctl_list_columns "${_ovs_vsctl_given[TABLE]}" '' | _ovs_vsctl_beginning "$1"
}

# Print the keys that the maps in a table's column have, with $3 before them.
_ovs_vsctl_map_keys() {
    local key
    _ovs_vsctl --no-heading "--columns=$2" list "$1" | tr -d '{"}' | tr -s ', ' '\n' |
        cut -d= -f1 | sed '/^$/d' | while read -r key; do printf '%s%s\n' "$3" "$key"; done
}

_ovs_vsctl_column_keys() {
    local table=${_ovs_vsctl_given[TABLE]:-Port} column=${1%%[:=]*} found
    if [[ $1 == *:* ]]; then
        found=$(_ovs_vsctl_map_keys "$table" "$column" "$column:" |
            _ovs_vsctl_beginning "${1%%=*}")
    else
        found=$(_ovs_vsctl_list_columns "$table" : | _ovs_vsctl_beginning "$1")
    fi
    printf '%s\n' "${found:-$1}"
}

# Keys are those of a column, or of a bridge's external ids where no table is named.
_ovs_vsctl_existing_keys() {
    if [ -n "${_ovs_vsctl_given[TABLE]}" ]; then
        _ovs_vsctl_map_keys "${_ovs_vsctl_given[TABLE]}" "${_ovs_vsctl_given[COLUMN]}" ''
    else
        _ovs_vsctl br-get-external-id "${_ovs_vsctl_given[BRIDGE]}" | cut -d= -f1
    fi | _ovs_vsctl_beginning "$1"
}

_ovs_vsctl_keys() {
    local found
    found=$(_ovs_vsctl_existing_keys "$1")
    printf '%s\n' "${found:-$1}"
}

_ovs_vsctl_key_values() {
    local found
    found=$(_ovs_vsctl_existing_keys "$1" | sed 's/$/=/')
    printf '%s\n' "${found:-$1}"
}

_ovs_vsctl_as_is() { printf '%s\n' "$1"; }
_ovs_vsctl_files() { compgen -o filenames -A file "$1"; }
_ovs_vsctl_fail_modes() { printf '%s\n' standalone secure; }
_ovs_vsctl_separator() { printf '%s\n' --; }

_ovs_vsctl_targets() {
    local method
    if [[ $1 =~ ^p?u ]]; then
        method=$(compgen -W "unix punix" "${1%%:*}")
        if [[ $1 == *:* ]]; then
            compgen -o filenames -A file -P "$method:" "${1#*:}"
        else
            compgen -o filenames -A file -P "$method:"
        fi
    else
        printf '%s\n' ssl: tcp: unix: pssl: ptcp: punix:
    fi
}

# Where a word stands. These set `found` (candidates), `open` (they go on without a space)
# and, of an argument, `next` (the position of the one behind it; empty: none fits) and
# `wanted` (the user must think of a name: what it is for).

# Complete the word $2 as each of the types $1.
_ovs_vsctl_add_types() {
    local type more
    for type in ${1//|/ }; do
        type=${type^^}
        [ -n "${_ovs_vsctl_types[$type]}" ] || continue
        mapfile -t more < <("${_ovs_vsctl_types[$type]}" "$2" | sed '/^$/d')
        found+=("${more[@]}")
        if [[ $_ovs_vsctl_open_types == *" $type "* ]]; then open=1; fi
    done
}

# Complete the word $2 as the argument at position $1 of `arguments`, or, where that may be
# left out, as one of those behind it.
_ovs_vsctl_argument() {
    local position=$1 argument=${arguments[$1]} own behind
    found=() open='' next='' wanted=''
    [ -n "$argument" ] || return 0
    if [[ ${argument:1} == NEW-* && $2 != -- ]]; then
        wanted=${argument:1}
        found=(${2:+"$2"})
    else
        _ovs_vsctl_add_types "${argument:1}" "$2"
    fi
    if [ "${argument:0:1}" = '!' ]; then
        next=$((position + 1))
        return 0
    fi
    own=("${found[@]}")
    behind=$(
        _ovs_vsctl_argument $((position + 1)) "$2"
        if [ -n "$wanted" ]; then open=''; fi
        printf '%s\n' "$next" "$open" "$wanted" "${found[@]}"
    )
    mapfile -t behind <<<"$behind"
    if [ ${#own[@]} -gt 0 ]; then
        next=$position
        if [ "${argument:0:1}" = '?' ]; then next=$((position + 1)); fi
    elif [ ${#behind[@]} -gt 3 ]; then
        next=${behind[0]}
    fi
    # That a new name may stand behind this one must not hide what is known.
    if [ -z "${behind[2]}" ]; then
        open=$open${behind[1]}
        found+=("${behind[@]:3}")
    fi
}

# Options that all commands have: those in long form.
_ovs_vsctl_global_option() {
    mapfile -t found < <(sed -n 's/^\(--[^=]*\)\(=\{0,1\}\).*/\1\2/p' \
        <<<"$_ovs_vsctl_options" | _ovs_vsctl_beginning "${1%=*}")
}

# The commands that take all the options given so far.
_ovs_vsctl_candidates() {
    local option lines=$_ovs_vsctl_commands
    for option in "${options[@]}"; do
        lines=$(grep -- "\[${option%%=*}=\?\]" <<<"$lines")
    done
    printf '%s\n' "$lines"
}

# Options of single commands, but none twice.
_ovs_vsctl_local_option() {
    local name
    mapfile -t found < <(_ovs_vsctl_candidates | cut -d, -f1 | tr ' ' '\n' |
        sed -n 's/^\[\(.*\)\]$/\1/p' | sort -u | while read -r name; do
        for option in "${options[@]}"; do
            if [ "${name%=}" = "${option%%=*}" ]; then continue 2; fi
        done
        printf '%s\n' "$name"
    done | _ovs_vsctl_beginning "$1")
}

_ovs_vsctl_command() {
    mapfile -t found < <(_ovs_vsctl_candidates | cut -d, -f2 | _ovs_vsctl_beginning "$1")
}

# Set `arguments` to those of the command $1, + spelled out, and what ends a command.
_ovs_vsctl_expand() {
    local argument
    arguments=()
    for argument in $(grep -- ",$1," <<<"$_ovs_vsctl_commands" | cut -d, -f3); do
        if [ "${argument:0:1}" = + ]; then
            arguments+=("!${argument:1}" "*${argument:1}")
        else
            arguments+=("$argument")
        fi
    done
    arguments+=('!--')
}

# Tell the user something, and repeat the line behind it.
_ovs_vsctl_say() {
    local prompt='> '
    if [ -n "$testing" ]; then
        printf -- '--- BEGIN MESSAGE'
    elif [ "${BASH_VERSINFO[0]}${BASH_VERSINFO[1]}" -ge 44 ]; then
        prompt=${PS1@P}
    fi
    printf '\n%s:\n%s%s' "$1" "$prompt" "$COMP_LINE"
    [ -z "$testing" ] || printf -- '--- END MESSAGE'
}

# Walk along the words up to the cursor; set `candidates` and `nospace` for the last one.
_ovs_vsctl_walk() {
    local stage=globals position=0 options=() arguments=() index word last what
    local found open next wanted
    _ovs_vsctl_given=() _ovs_vsctl_created=()
    for ((index = 1; index <= COMP_CWORD; index++)); do
        word=${COMP_WORDS[index]}
        last=$((index == COMP_CWORD))
        candidates=() nospace=
        if [ $stage = arguments ]; then
            _ovs_vsctl_argument "$position" "$word"
            nospace=$open
            if [ -n "$wanted" ]; then
                what=${wanted/-/ }
                if [ $last = 1 ]; then _ovs_vsctl_say "Enter a ${what,,}"; fi
                _ovs_vsctl_created[${wanted##*-}]+=" $word"
            else
                candidates+=("${found[@]}")
                if [ $last = 0 ] && [ ${#found[@]} -eq 0 ]; then
                    _ovs_vsctl_say "Cannot complete '$word' at index $index"
                    return 1
                fi
            fi
            if [ -n "${arguments[position]}" ]; then
                _ovs_vsctl_given[${arguments[position]:1}]=$word
            fi
            position=${next:-$position}
        else
            _ovs_vsctl_before_arguments
        fi
        if [ "$word" = -- ] && [ $last = 0 ]; then
            stage=options options=()
        fi
    done
}

# A word before or in place of the command's name. Options that all commands have come
# first, then the command's own; an option or a name ends what stands before it.
_ovs_vsctl_before_arguments() {
    local here=$stage
    if [ "$here" = globals ]; then
        _ovs_vsctl_global_option "$word"
        _ovs_vsctl_take
    fi
    _ovs_vsctl_local_option "$word"
    _ovs_vsctl_take
    if [ "$last" = 0 ] && [ ${#found[@]} -gt 0 ]; then
        stage=options
        options+=("$word")
    fi
    _ovs_vsctl_command "$word"
    candidates+=("${found[@]}")
    if [ "$last" = 0 ] && [ ${#found[@]} -gt 0 ]; then
        stage=arguments position=0
        _ovs_vsctl_expand "$word"
    fi
}

_ovs_vsctl_take() {
    candidates+=("${found[@]}")
    if [[ ${found[*]} == *=* ]]; then nospace=1; fi
}

# bash takes : and = for ends of words: leave out of candidates what it has set apart.
_ovs_vsctl_trim() {
    local word=$1 breaks=$2 mark index
    for mark in : =; do
        if [[ $word == *$mark* && $breaks == *$mark* ]]; then
            for index in "${!candidates[@]}"; do
                candidates[index]=${candidates[index]#"${word%"${word##*"$mark"}"}"}
            done
            word=${word##*"$mark"}
        fi
    done
}

_ovs_vsctl_bashcomp() {
    local candidates=() nospace='' words cword
    if [ -z "$testing" ]; then
        _get_comp_words_by_ref -n "\"'><=;|&(:" -w words -i cword
        COMP_WORDS=("${words[@]}") COMP_CWORD=$cword
    fi
    if [[ $COMP_LINE =~ .*--db=([^\ ]*) ]]; then
        _ovs_vsctl_location=${BASH_REMATCH[1]}
    fi
    _ovs_vsctl get-manager >/dev/null 2>&1 || return 1
    [ -n "$_ovs_vsctl_commands" ] || _ovs_vsctl_commands=$(ovs-vsctl --commands)
    [ -n "$_ovs_vsctl_options" ] || _ovs_vsctl_options=$(ovs-vsctl --options)
    _ovs_vsctl_walk || return 1
    mapfile -t candidates < <(printf '%s\n' "${candidates[@]}" | tr ' ' '\n' | sort -u)
    _ovs_vsctl_offer "${COMP_WORDS[COMP_CWORD]}"
}

_ovs_vsctl_offer() {
    if [ -n "$testing" ]; then
        _ovs_vsctl_trim "$1" ':='
        printf '%s\n' "${candidates[@]}" | sed -e '/^$/d' -e "${nospace:-s/\$/ /}${nospace:+b}"
        if [ -z "${candidates[*]}" ]; then echo; fi
    else
        if [ -n "$nospace" ]; then compopt -o nospace; else compopt +o nospace; fi
        mapfile -t candidates < <(compgen -W "${candidates[*]}" -- "$1")
        _ovs_vsctl_trim "$1" "$COMP_WORDBREAKS"
        COMPREPLY=("${candidates[@]}")
    fi
}

testing=
if [ "$1" = test ]; then
    testing=1
    COMP_LINE="ovs-vsctl $2"
    # The program's name counts twice in what is said about words.
    mapfile -t -d ' ' COMP_WORDS < <(printf 'ovs-vsctl %s ' "$COMP_LINE")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _ovs_vsctl_bashcomp
else
    complete -F _ovs_vsctl_bashcomp ovs-vsctl
fi
