#!/usr/bin/env bash
# A text of which py3langid knows nothing has a language all the same, and another one with normalized probabilities.
#
# Library:    py3langid 0.4.0
# Expected:   "ok" gives no evidence, and the answer says so. Normalizing probabilities changes no ranking: the best
#             language stays the best.
# Seen:       Without a known letter group in the text all languages are equal, and the first of an order wins:
#             Afrikaans by the module's functions, Serbian by an identifier with `norm_probs=True`. The empty text
#             is alike:
#                 classify('ok'): ('af', -3.4028234663852886e+38)
#                 norm_probs=True, classify('ok'): ('sr', 0.0141)
#                 norm_probs=True, classify(''): ('sr', 0.0141)
#                 norm_probs=True, classify('TERRIBLE SERVICE'): ('fr', 0.1664)
# Why:        Feedback is full of "ok" and "thx": a dashboard by language gets Serbian customers, and records go to
#             a queue without readers. The score of the module's functions has no natural limit to cut it off at: it
#             grows with the length of the text.
# Workaround: `norm_probs=True`, `set_languages([...])` with the languages that can come, and "und" below a share of
#             what they have together (here a third); count texts without letters as "und" before asking.
# See also:   no report was found
set -euo pipefail
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"${PYTHON:-python3}" -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet py3langid==0.4.0 numpy==2.4.6
"$work/venv/bin/python" - <<'PYTHON'
import py3langid
from py3langid.langid import MODEL_FILE, LanguageIdentifier

plain = py3langid.classify("ok")
print("classify('ok'):", (plain[0], float(plain[1])))
identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
labels = []
for text in ("ok", "", "TERRIBLE SERVICE"):
    label, probability = identifier.classify(text)
    labels.append(label)
    print(f"norm_probs=True, classify({text!r}): {(label, round(float(probability), 4))}")
if [plain[0], *labels] != ["af", "sr", "sr", "fr"]:
    raise SystemExit("the behaviour has changed")
PYTHON
