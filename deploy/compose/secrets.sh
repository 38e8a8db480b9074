#!/bin/sh
# Makes the secrets of docker-compose.yml, each in a file of its own; those that are there stay.
#   sh deploy/compose/secrets.sh [FOLDER]      default: deploy/secrets, where docker-compose.yml looks
set -eu
folder=${1:-$(dirname "$0")/../secrets}
mkdir -p "$folder"
# The folder keeps others out; the files can be read by the users in the containers.
chmod 700 "$folder"
for name in api_token author_key console_token elastic_password grafana_password kibana_encryption_key kibana_password triage_password; do
  if [ ! -s "$folder/$name" ]; then
    od -An -v -tx1 -N24 /dev/urandom | tr -d ' \n' >"$folder/$name"
    chmod 644 "$folder/$name"
    echo "made $folder/$name"
  fi
done
# Who may use the console and the API; add people and systems of your own, as viewer or operator.
for door in console api; do
  if [ ! -s "$folder/${door}_tokens" ]; then
    printf '[{"name": "admin", "role": "operator", "token": "%s"}]\n' "$(cat "$folder/${door}_token")" >"$folder/${door}_tokens"
    chmod 644 "$folder/${door}_tokens"
    echo "made $folder/${door}_tokens"
  fi
done
