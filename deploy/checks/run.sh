#!/usr/bin/env bash
# Checks the files of deploy/ with the tools of their trade, as far as this machine can have them, and ends with what it could not
# check. Exit 1 only for a file that a tool refuses. Tools are kept in .venv-deploy.
#   deploy/checks/run.sh            MINUTES=15: how long building helm may take
#   FULL=1 deploy/checks/run.sh     also builds the image and runs the Compose file's and the chart's containers with podman; as root,
#                                   ten minutes, 3 GB. TRIAGE_TEST_KAFKA and TRIAGE_TEST_ELASTICSEARCH are where records go through:
#                                   servers without users, for topics and indices of the names `feedback` and `chart`.
#                                   TARGETS="cpu gpu" builds the image for GPUs as well
set -uo pipefail
cd "$(dirname "$0")/../.."
tools=$PWD/.venv-deploy
chart=deploy/helm/triage
minutes=${MINUTES:-15}
unchecked=() failed=()
out=$(mktemp -d); trap 'rm -rf "$out"' EXIT

pass() { printf '   %s\n' "$*"; }
check() { # NAME COMMAND...
  local name=$1; shift
  if "$@" >"$out/log" 2>&1; then pass "ok: $name"; else failed+=("$name"); printf '   FAILED: %s\n' "$name"; cat "$out/log"; fi
}
without() { unchecked+=("$1 ($2)"); }
built() { # NAME PACKAGE@VERSION: from the Go proxy, into $tools/bin
  [ -x "$tools/bin/$1" ] && return
  command -v go >/dev/null || return 1
  mkdir -p "$tools/bin"
  GOBIN=$tools/bin GOFLAGS=-mod=mod timeout "${minutes}m" go install "$2" >"$out/go.log" 2>&1
}
runs_as_root() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

echo "-- python tools"
if [ ! -f "$tools/ready" ] || [ requirements/deploy.txt -nt "$tools/ready" ]; then
  python3 -m venv "$tools" && "$tools/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r requirements/deploy.txt &&
    touch "$tools/ready"
fi

echo "-- compose"
compose=$tools/bin/compose-check
if docker compose version >/dev/null 2>&1; then
  secrets=$out/secrets; sh deploy/compose/secrets.sh "$secrets" >/dev/null
  TRIAGE_SECRETS=$secrets check "docker compose config" docker compose --profile gpu --profile observability --profile api config -q
elif [ -x "$compose" ] || { command -v go >/dev/null && mkdir -p "$tools/bin" &&
  (cd deploy/checks/compose && timeout "${minutes}m" go build -o "$compose" .) >"$out/go.log" 2>&1; }; then
  for files in "docker-compose.yml" "docker-compose.yml deploy/compose/receivers.yml"; do
    # shellcheck disable=SC2086
    check "$files (the library of docker compose)" "$compose" gpu,observability,api $files
  done
else
  without "docker-compose.yml against the compose schema" "neither docker compose nor go"
fi
if [ -z "${FULL:-}" ]; then
  without "building the image, running its containers" "FULL=1 is not set"
fi

echo "-- prometheus"
if ! command -v promtool >/dev/null && runs_as_root; then
  timeout 5m apt-get install -y -qq --no-install-recommends prometheus >"$out/apt.log" 2>&1 || true
fi
if command -v promtool >/dev/null; then
  check "promtool check config" promtool check config deploy/prometheus/prometheus.yml
  check "promtool test rules" promtool test rules deploy/prometheus/rules_test.yml deploy/prometheus/drift_test.yml
else
  without "Prometheus rules" "no promtool; Debian: apt-get install prometheus"
fi

echo "-- helm"
helm=$(command -v helm || true)
if [ -z "$helm" ] && built helm helm.sh/helm/v3/cmd/helm@v3.19.0; then helm=$tools/bin/helm; fi
if [ -n "$helm" ]; then
  mkdir -p "$out/chart"
  for values in $chart/values.yaml $chart/ci/*.yaml; do
    check "helm lint with $(basename "$values")" "$helm" lint --strict "$chart" -f "$values"
    name=$(basename "$values")
    if "$helm" template shop "$chart" --kube-version 1.31.0 -f "$values" >"$out/chart/$name" 2>"$out/log"; then
      pass "ok: helm template with $name"
    else
      failed+=("helm template with $name"); cat "$out/log"; rm -f "$out/chart/$name"
    fi
  done
  schemas=$("$tools/bin/python" -c 'import kubernetes_validate, pathlib; print(pathlib.Path(kubernetes_validate.__file__).parent)' 2>/dev/null || true)
  if [ -n "$schemas" ]; then
    check "the chart's objects with pairs of values, and values that are refused" "$tools/bin/python" deploy/checks/combinations.py \
      "$helm" "$chart" docs/deploying.md
    without "PodMonitor, PrometheusRule, ScaledObject, ExternalSecret against their operators' schemas" "no package carries them"
  else
    without "rendered objects against Kubernetes' schemas" "kubernetes-validate could not be installed"
  fi
  if [ -x .venv/bin/python ]; then
    TRIAGE_TEST_CHART=$out/chart check "tests of rendered objects" .venv/bin/python -m pytest -q tests/deploy/test_chart.py
  fi
else
  without "the Helm chart: lint, template, Kubernetes schemas" "helm is not here and could not be built"
fi
without "installing the chart" "no cluster here"

if [ -n "${FULL:-}" ]; then
  echo "-- image and containers"
  # shellcheck disable=SC2086
  if ! runs_as_root; then
    without "building the image, running its containers" "they need root and Debian's packages"
  elif ! podman=$(bash deploy/checks/image.sh "$tools/images" ${TARGETS:-cpu}); then
    failed+=("building the image")
  elif [ -z "${TRIAGE_TEST_KAFKA:-}" ] || [ -z "${TRIAGE_TEST_ELASTICSEARCH:-}" ]; then
    without "containers of the Compose file and the chart" "TRIAGE_TEST_KAFKA and TRIAGE_TEST_ELASTICSEARCH are not set"
  else
    containers() { # KIND FILE
      if ! "$tools/bin/python" -u deploy/checks/containers "$1" "$2" "${podman##*$'\n'}"; then failed+=("containers of the $1"); fi
    }
    secrets=$tools/secrets; sh deploy/compose/secrets.sh "$secrets" >/dev/null
    printf http://receiver:8999/ >"$secrets/webhook_url"
    if [ -x "$compose" ] && TRIAGE_SECRETS=$secrets "$compose" api docker-compose.yml deploy/checks/containers/compose.yml >"$out/project.json"; then
      containers compose "$out/project.json"
      without "users, Kibana and Grafana of the Compose file" "no package carries their images"
    else
      without "containers of the Compose file" "compose-check could not be built"
    fi
    if [ -n "$helm" ] && "$helm" template shop "$chart" --kube-version 1.37.0 -f deploy/checks/containers/values.yaml >"$out/chart.yaml" 2>/dev/null; then
      containers chart "$out/chart.yaml"
    else
      without "containers of the chart" "it could not be rendered"
    fi
  fi
fi

echo
for what in "${unchecked[@]}"; do echo "not checked: $what"; done
if [ ${#failed[@]} -gt 0 ]; then
  for what in "${failed[@]}"; do echo "FAILED: $what"; done
  exit 1
fi
echo "deploy files: all checks passed that could be run"
