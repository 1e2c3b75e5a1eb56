#!/usr/bin/env bash
# rouge-score: two identical Chinese sentences have ROUGE-L 0.
#
# Versions: rouge-score 0.1.2, CPython 3.11.
# Expected: a text compared with itself has an F-measure of 1, in any language.
# Seen: the scorer's own tokenizer keeps a to z and 0 to 9 only, so nothing is left of Chinese: precision, recall and
#   F-measure are 0, without a warning. A table of replies in both languages then looks as if the Chinese ones were bad. With
#   a tokenizer of one token a character the same call gives 1.
# Fails when: the Chinese text no longer gives 0 by default, or its characters as tokens do not give 1.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet rouge-score==0.1.2
"$folder/venv/bin/python" - <<'PYTHON'
from rouge_score.rouge_scorer import RougeScorer


class Characters:
    def tokenize(self, text):
        return list(text)


sentence = "今天我很难过，想找人说说话。"
default = RougeScorer(["rougeL"]).score(sentence, sentence)["rougeL"].fmeasure
characters = RougeScorer(["rougeL"], tokenizer=Characters()).score(sentence, sentence)["rougeL"].fmeasure
english = RougeScorer(["rougeL"]).score("I am sad today.", "I am sad today.")["rougeL"].fmeasure
print(f"the same sentence twice: Chinese {default}, Chinese by characters {characters}, English {english}")
raise SystemExit(0 if (default, characters, english) == (0, 1, 1) else "the behaviour has changed")
PYTHON
