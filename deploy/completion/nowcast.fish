# SPDX-License-Identifier: Apache-2.0
#
# Completion of nowcast for fish. It asks the program itself what may follow (`nowcast complete`), so it always fits the
# installed version. `make install` puts it where fish looks; to try it: source deploy/completion/nowcast.fish

function __nowcast_words
    set -l words (commandline -opc) (commandline -ct)
    $words[1] complete -- $words[2..-1] 2>/dev/null
end

# Where the program offers nothing, a file may stand.
complete -c nowcast -n 'test -n "$(__nowcast_words)"' -f -a '(__nowcast_words)'
