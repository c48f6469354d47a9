# SPDX-License-Identifier: Apache-2.0
# What zsh offers behind a line that is being typed: zsh -f complete.zsh FOLDER-OF-FUNCTIONS LINE
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "PS1=; fpath=($1 \$fpath); autoload -U compinit; compinit -u -d $PWD/.zcompdump; zstyle ':completion:*' list-separator '--'"
zpty -w shell "compadd() { builtin compadd -A found \"\$@\"; print -r -- \"<<\${(j: :)found}>>\"; builtin compadd \"\$@\"; }; print ready"
zpty -r shell line '*ready*' 2>/dev/null
zpty -r -m shell line '*ready*' 2>/dev/null
zpty -w -n shell "$2"$'\t'
sleep 1
local all=
while zpty -r -t shell line; do all+=$line; done
local -a found=(${=${${${(M)${(f)all}:#*<<*>>*}##*<<}%%>>*}})
print -r -- ${(u)found}
zpty -d shell
