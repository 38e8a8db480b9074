{{- define "triage.name" -}}
{{- if contains "triage" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-triage" .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "triage.selector" -}}
app.kubernetes.io/name: triage
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "triage.labels" -}}
{{ include "triage.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "triage.image" -}}
{{- $gpu := and (eq .component "worker") .root.Values.worker.gpu.enabled -}}
{{- $digest := .root.Values.image.digest -}}
{{- if and $gpu $digest -}}
{{- $digest = required "image.digest is of the image for CPUs: set image.gpuDigest too, since worker.gpu.enabled" .root.Values.image.gpuDigest -}}
{{- else if $gpu -}}
{{- $digest = .root.Values.image.gpuDigest -}}
{{- end -}}
{{- if $digest -}}
{{- printf "%s@%s" .root.Values.image.repository $digest -}}
{{- else -}}
{{- printf "%s:%s" .root.Values.image.repository (.root.Values.image.tag | default (ternary "gpu" "cpu" $gpu)) -}}
{{- end -}}
{{- end -}}

{{- /* The ports of a list of URLs or HOST:PORT, separated by blanks. */}}
{{- define "triage.ports" -}}
{{- $ports := list -}}
{{- range . -}}
{{- $found := regexFind ":[0-9]+(/|$)" . -}}
{{- $ports = append $ports ($found | trimAll ":/" | default (ternary "443" "80" (hasPrefix "https" .))) -}}
{{- end -}}
{{- join " " $ports -}}
{{- end -}}

{{- /* Variables that the chart sets, each with the value to set in its stead: two of one name would be told apart by chance,
and ports, policies, scaling and grace periods follow the values. */}}
{{- define "triage.variables" -}}
TRIAGE_KAFKA__BOOTSTRAP_SERVERS: kafka.bootstrapServers
TRIAGE_KAFKA__ENVIRONMENT: kafka.environment
TRIAGE_KAFKA__TOPIC_PREFIX: kafka.topicPrefix
TRIAGE_ELASTICSEARCH__URL: elasticsearch.url
TRIAGE_WORKER__DRAIN_TIMEOUT_S: worker.drainTimeoutSeconds
{{- range tuple "WORKER__SLOT" "ALERTING__INSTANCE" }}
TRIAGE_{{ . }}: nothing (the pod's name is used)
{{- end }}
{{- range tuple "WORKER__HEALTH_PORT" "ALERTING__HEALTH_PORT" "CONSOLE__HOST" "CONSOLE__PORT" "CONSOLE__HEALTH_PORT" "API__HOST" "API__PORT" "API__HEALTH_PORT" }}
TRIAGE_{{ . }}: nothing (probes and services use the chart's; service.port is a service's)
{{- end }}
{{- if .Values.rules }}
TRIAGE_RULES__PATH: rules
{{- end }}
{{- if .Values.alertRules }}
TRIAGE_ALERTING__RULES: alertRules
{{- end }}
{{- if .Values.model.existingClaim }}
TRIAGE_MODEL__REGISTRY: model.existingClaim
{{- end }}
{{- if .Values.secrets.existingSecret }}
{{- range .Values.secrets.keys }}
{{ . }}: the secret's key
{{ . }}_FILE: the secret's key
{{- end }}
{{- end }}
{{- end -}}

{{- define "triage.connection" -}}
- {name: TRIAGE_KAFKA__BOOTSTRAP_SERVERS, value: {{ .Values.kafka.bootstrapServers | quote }}}
- {name: TRIAGE_KAFKA__ENVIRONMENT, value: {{ .Values.kafka.environment | quote }}}
- {name: TRIAGE_KAFKA__TOPIC_PREFIX, value: {{ .Values.kafka.topicPrefix | quote }}}
- {name: TRIAGE_ELASTICSEARCH__URL, value: {{ .Values.elasticsearch.url | quote }}}
{{- if .Values.secrets.existingSecret }}
{{- range .Values.secrets.keys }}
- {name: {{ . }}_FILE, value: /run/secrets/triage/{{ . }}}
{{- end }}
{{- end }}
{{- $own := fromYaml (include "triage.variables" .) }}
{{- range $name, $value := .Values.env }}
{{- with index $own $name }}
{{- fail (printf "env.%s: set %s instead" $name .) }}
{{- end }}
- {name: {{ $name }}, value: {{ $value | quote }}}
{{- end }}
{{- end -}}

{{- define "triage.env" -}}
{{ include "triage.connection" . }}
{{- if .Values.rules }}
- {name: TRIAGE_RULES__PATH, value: /etc/triage/rules.yaml}
{{- end }}
{{- if .Values.alertRules }}
- {name: TRIAGE_ALERTING__RULES, value: /etc/triage/alert-rules.yaml}
{{- end }}
{{- if .Values.model.existingClaim }}
- {name: TRIAGE_MODEL__REGISTRY, value: /models}
{{- end }}
{{- end -}}

{{- define "triage.mounts" -}}
- {name: data, mountPath: /var/lib/triage}
- {name: tmp, mountPath: /tmp}
{{- if .Values.secrets.existingSecret }}
- {name: secrets, mountPath: /run/secrets/triage, readOnly: true}
{{- end }}
{{- if or .Values.rules .Values.alertRules }}
- {name: rules, mountPath: /etc/triage, readOnly: true}
{{- end }}
{{- if .Values.model.existingClaim }}
- {name: models, mountPath: /models, readOnly: true}
{{- end }}
{{- end -}}

{{- define "triage.volumes" -}}
- {name: tmp, emptyDir: {}}
{{- if not .persistent }}
- {name: data, emptyDir: {}}
{{- end }}
{{- with .root.Values.secrets.existingSecret }}
- {name: secrets, secret: {secretName: {{ . }}, defaultMode: 0440}}
{{- end }}
{{- if or .root.Values.rules .root.Values.alertRules }}
- {name: rules, configMap: {name: {{ include "triage.name" .root }}-rules}}
{{- end }}
{{- with .root.Values.model.existingClaim }}
- {name: models, persistentVolumeClaim: {claimName: {{ . }}, readOnly: true}}
{{- end }}
{{- end -}}

{{- define "triage.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
seccompProfile: {type: RuntimeDefault}
{{- end -}}

{{- define "triage.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end -}}

{{- /* Where a pod may run: {own: .Values.worker, tolerations: more of them}. */}}
{{- define "triage.placement" -}}
{{- with .own.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with concat .own.tolerations (.tolerations | default list) }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .own.affinity }}
affinity: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}

{{- /* Loading a model, or waiting for brokers at start, may take minutes; a loop that stands still is ended after two. */}}
{{- define "triage.probes" -}}
startupProbe:
  httpGet: {path: /live, port: {{ . }}}
  periodSeconds: 5
  timeoutSeconds: 5
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /live, port: {{ . }}}
  periodSeconds: 20
  timeoutSeconds: 10
  failureThreshold: 3
readinessProbe:
  httpGet: {path: /ready, port: {{ . }}}
  periodSeconds: 10
  timeoutSeconds: 10
{{- end -}}

{{- define "triage.claim" -}}
- metadata: {name: data}
  spec:
    accessModes: [ReadWriteOnce]
    resources: {requests: {storage: {{ .size }}}}
    {{- with .storageClass }}
    storageClassName: {{ . }}
    {{- end }}
{{- end -}}
