{{- define "nowcast.name" -}}
{{- if contains "nowcast" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-nowcast" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end }}
{{- end }}

{{- define "nowcast.selector" -}}
app.kubernetes.io/name: nowcast
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "nowcast.labels" -}}
{{ include "nowcast.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "nowcast.serviceAccount" -}}
{{ .Values.serviceAccount.name | default (ternary (include "nowcast.name" .) "default" .Values.serviceAccount.create) }}
{{- end }}

{{- define "nowcast.conf" -}}
{{- range $key, $value := .Values.config }}
{{- if eq $key "reconcile.source" }}{{ fail "config: reconcile.source would have each worker read the bill: set reconcile.enabled and reconcile.source in its place" }}{{ end }}
{{- if has $key (list "listen" "auth.tokens.file" "secrets.file") }}{{ fail (printf "config: %s is set by the chart" $key) }}{{ end }}
{{- if kindIs "float64" $value }}
{{ $key }} = {{ $value | toJson }}
{{- else }}
{{ $key }} = {{ $value }}
{{- end }}
{{- end }}
{{- end }}

{{- /* Changed configuration makes new pods. */ -}}
{{- define "nowcast.podAnnotations" -}}
checksum/config: {{ printf "%s%s" (include "nowcast.conf" .) (.Values.files | toJson) | sha256sum }}
{{- end }}

{{- define "nowcast.podSecurity" -}}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  fsGroup: 65532
  seccompProfile: {type: RuntimeDefault}
{{- end }}

{{- define "nowcast.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{- define "nowcast.env" -}}
env:
  - {name: NOWCAST_CONFIG, value: /etc/nowcast/nowcast.conf}
  - {name: NOWCAST_LISTEN, value: "0.0.0.0:8321"}
  - {name: NOWCAST_AUTH_TOKENS_FILE, value: /run/nowcast/tokens/tokens}
  {{- if .Values.secrets.existingSecret }}
  - {name: NOWCAST_SECRETS_FILE, value: /run/nowcast/secrets/secrets.conf}
  {{- end }}
  {{- with .Values.env }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- with .Values.envFrom }}
envFrom:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}

{{- define "nowcast.mounts" -}}
volumeMounts:
  - {name: config, mountPath: /etc/nowcast/nowcast.conf, subPath: nowcast.conf, readOnly: true}
  - {name: tokens, mountPath: /run/nowcast/tokens, readOnly: true}
  {{- if .Values.files }}
  - {name: files, mountPath: /etc/nowcast/files, readOnly: true}
  {{- end }}
  {{- if .Values.secrets.existingSecret }}
  - {name: secrets, mountPath: /run/nowcast/secrets, readOnly: true}
  {{- end }}
  - {name: state, mountPath: /var/lib/nowcast}
  - {name: cache, mountPath: /var/cache/nowcast}
  - {name: tmp, mountPath: /tmp}
{{- end }}

{{- /* All but the cache. Secrets are for the group of the pod alone: nowcast refuses others. */ -}}
{{- define "nowcast.volumes" -}}
- name: config
  configMap: {name: {{ include "nowcast.name" . }}}
- name: tokens
  secret: {secretName: {{ required "tokens.existingSecret: name a secret with a key `tokens` (docs/install.md)" .Values.tokens.existingSecret }}, defaultMode: 0440}
{{- if .Values.files }}
- name: files
  configMap: {name: {{ include "nowcast.name" . }}-files}
{{- end }}
{{- if .Values.secrets.existingSecret }}
- name: secrets
  secret: {secretName: {{ .Values.secrets.existingSecret }}, defaultMode: 0440}
{{- end }}
- name: state
  emptyDir: {}
- name: tmp
  emptyDir: {}
{{- end }}

{{- define "nowcast.place" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- end }}
