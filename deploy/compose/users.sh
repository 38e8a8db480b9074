#!/usr/bin/env bash
# Users of Elasticsearch: kibana_system gets its password; `triage` gets a role that may do what docs/elasticsearch.md lists,
# on the indices of its own prefixes, and may manage saved objects in Kibana. May be run at any time.
set -euo pipefail
secret() { cat "/run/secrets/$1"; }
call() {
  curl -fsS -o /dev/null -u "elastic:$(secret elastic_password)" -H 'content-type: application/json' \
    -X "$1" "$ELASTICSEARCH_URL$2" --data-binary "$3"
  echo "$1 $2"
}
call POST /_security/user/kibana_system/_password "{\"password\": \"$(secret kibana_password)\"}"
call PUT /_security/role/triage '{
  "cluster": ["monitor", "manage_index_templates", "manage_ilm"],
  "indices": [{"names": ["feedback*", "alerts*"], "privileges": ["all"]}],
  "applications": [{"application": "kibana-.kibana", "privileges": ["all"], "resources": ["*"]}]
}'
call PUT /_security/user/triage "{\"password\": \"$(secret triage_password)\", \"roles\": [\"triage\"]}"
