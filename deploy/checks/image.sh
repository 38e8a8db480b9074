#!/usr/bin/env bash
# Builds the targets of deploy/Dockerfile with buildah on a Debian base of this machine's own mirror, and looks at what came out.
#   deploy/checks/image.sh FOLDER [TARGET...]     default: cpu. FOLDER keeps the base and the layers for the next time
# Prints the podman command that finds the images as its last line. It runs as root; no registry of images is asked. Debian's Python
# is not always that of the Dockerfile's base (PYTHON), whose packages and user commands are the same.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p "$1"; folder=$(cd "$1" && pwd); shift
targets=("${@:-cpu}")
storage=(--root "$folder/storage" --runroot "$folder/run")
podman=(podman "${storage[@]}" --runtime "$(command -v runc || echo /usr/sbin/runc)" --cgroup-manager cgroupfs)
say() { printf '   %s\n' "$*" >&2; }

missing=$(for tool in buildah podman runc catatonit socat mmdebstrap; do command -v $tool >/dev/null || [ -x /usr/sbin/$tool ] || echo $tool; done)
if [ -n "$missing" ]; then
  # shellcheck disable=SC2086
  apt-get install -y -qq --no-install-recommends $missing >"$folder/apt.log" 2>&1
fi

if ! "${podman[@]}" image exists localhost/python:base; then
  # shellcheck disable=SC1091
  release=$(. /etc/os-release && echo "$VERSION_CODENAME")
  sources=/etc/apt/sources.list.d/debian.sources
  [ -e "$sources" ] || sources=/etc/apt/sources.list
  mmdebstrap --quiet --variant=apt --include=python3,python3-venv,python-is-python3 "$release" "$folder/base.tar" "$sources" >&2
  "${podman[@]}" import "$folder/base.tar" localhost/python:base >/dev/null 2>&1
  rm "$folder/base.tar"
fi
say "base: $("${podman[@]}" run --rm --network none --ulimit nofile=4096:4096 --ulimit nproc=4096:4096 localhost/python:base python -V)"

# pip in the build finds packages as pip here does: its settings, and the files that they name.
mounts=(-v "$folder/pip.conf:/etc/pip.conf:ro")
python3 -m pip config list | sed -n "s/^[^=]*\.\([a-z-]*\)='\(.*\)'\$/\1 = \2/p" | sort -u -t= -k1,1 | sed '1i [global]' >"$folder/pip.conf"
while read -r path; do
  if [ -e "$path" ]; then mounts+=(-v "$path:$path:ro"); fi
done < <(sed -n 's/^.* = \(\/.*\)/\1/p' "$folder/pip.conf")

for target in "${targets[@]}"; do
  buildah "${storage[@]}" bud --isolation chroot --layers --ulimit nofile=4096:4096 "${mounts[@]}" \
    --build-arg PYTHON=localhost/python:base -f deploy/Dockerfile --target "$target" -t "localhost/triage:$target" . >"$folder/build.log" 2>&1 ||
    { tail -40 "$folder/build.log" >&2; exit 1; }
  say "built: $target"
  # As the Compose file and the chart run it.
  container() { "${podman[@]}" run --rm -i --network none --read-only --read-only-tmpfs=false --tmpfs /tmp --cap-drop all \
    --security-opt no-new-privileges --ulimit nofile=4096:4096 --ulimit nproc=4096:4096 "$@"; }
  image=localhost/triage:$target
  [[ $(container "$image" --version) == triage\ * ]]
  container "$image" | grep Usage >/dev/null
  container --entrypoint sh "$image" -euc '
    [ "$(id -u):$(id -g)" = 10001:10001 ] && [ "$(pwd)" = /var/lib/triage ]
    touch /tmp/a /var/lib/triage/a
    if touch /opt/triage/a 2>/dev/null; then echo "/opt/triage can be written"; exit 1; fi
    for path in /src /wheel /opt/tools /opt/triage/onnx/HISTORY; do if [ -e "$path" ]; then echo "$path is in the image"; exit 1; fi; done
    python -m pip check >&2
    python -c "import json; names = {one[\"name\"] for one in json.load(open(\"/opt/triage/sbom.cdx.json\"))[\"components\"]}; assert \"kafka-python\" in names, names"' >&2
  if [ "$target" = cpu ]; then
    printf '{"text": "My parcel never arrived"}\n' | container "$image" enrich - --format jsonl | grep '"intent"' >/dev/null
    say "enriches a record with the model that it carries, without a network"
  fi
  say "ok: user, folders, read-only root, entry point, list of components, dependencies: $target"
done
echo "${podman[*]}"
