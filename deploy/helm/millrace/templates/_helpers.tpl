{{- define "millrace.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" -}}
{{- end -}}

{{- define "millrace.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" -}}
{{- else if contains (include "millrace.name" .) .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "millrace.name" .) | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* What never changes of a process, so that a Deployment can go on selecting its pods. */}}
{{- define "millrace.selector" -}}
app.kubernetes.io/name: {{ include "millrace.name" .root }}
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "millrace.labels" -}}
{{ include "millrace.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end -}}

{{- define "millrace.image" -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" .Values.image.repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" .Values.image.repository (default .Chart.AppVersion .Values.image.tag) -}}
{{- end -}}
{{- end -}}

{{- define "millrace.storageClaim" -}}
{{- default (printf "%s-storage" (include "millrace.fullname" .)) .Values.storage.existingClaim -}}
{{- end -}}

{{- define "millrace.workClaim" -}}
{{- default (printf "%s-work" (include "millrace.fullname" .)) .Values.work.persistence.existingClaim -}}
{{- end -}}

{{/* Options that the API and the process that works share. */}}
{{- define "millrace.env" -}}
- name: DATABASE_URL
  valueFrom:
    secretKeyRef:
      name: {{ .Values.database.existingSecret }}
      key: {{ .Values.database.key }}
- name: MILLRACE_DATABASE_CONNECTIONS
  value: {{ .Values.database.connections | quote }}
{{- if .Values.database.caSecret }}
- name: NODE_EXTRA_CA_CERTS
  value: /etc/millrace-database/ca.crt
{{- end }}
- name: MILLRACE_LOCAL
  value: "off"
- name: MILLRACE_HOST
  value: 0.0.0.0
- name: MILLRACE_METRICS_PORT
  value: "7273"
- name: MILLRACE_DATA_DIRECTORY
  value: /var/lib/millrace
- name: MILLRACE_STORAGE_DIRECTORY
  value: /var/lib/millrace-storage
- name: MILLRACE_LOG_LEVEL
  value: {{ .Values.logLevel }}
{{- if .Values.publicUrl }}
- name: MILLRACE_PUBLIC_URL
  value: {{ .Values.publicUrl | quote }}
{{- end }}
{{- if .Values.bankAccount }}
- name: MILLRACE_BANK_ACCOUNT
  value: {{ .Values.bankAccount | quote }}
{{- end }}
{{- if .Values.kubernetes.clusters }}
- name: MILLRACE_CLUSTERS
  value: {{ include "millrace.clusterFiles" . | trimSuffix "," | quote }}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "millrace.clusterFiles" -}}
{{- range .Values.kubernetes.clusters }}/etc/millrace-clusters/{{ .site }}.yaml,{{ end }}
{{- end -}}

{{/* Settings of clusters are read at a start, so other ones are another pod. */}}
{{- define "millrace.podAnnotations" -}}
{{- with .of.podAnnotations }}
{{ toYaml . }}
{{- end }}
{{- with .root.Values.kubernetes.clusters }}
millrace.dev/clusters: {{ toYaml . | sha256sum | trunc 16 | quote }}
{{- end }}
{{- end -}}

{{- define "millrace.mounts" -}}
- { name: data, mountPath: /var/lib/millrace }
- { name: storage, mountPath: /var/lib/millrace-storage }
- { name: tmp, mountPath: /tmp }
{{- if .Values.database.caSecret }}
- { name: database-ca, mountPath: /etc/millrace-database, readOnly: true }
{{- end }}
{{- if .Values.kubernetes.clusters }}
- { name: clusters, mountPath: /etc/millrace-clusters, readOnly: true }
{{- end }}
{{- if .Values.kubernetes.kubeconfigSecret }}
- { name: kubeconfigs, mountPath: /etc/millrace-kubeconfigs, readOnly: true }
{{- end }}
{{- end -}}

{{- define "millrace.volumes" -}}
- name: tmp
  emptyDir: {}
- name: storage
  persistentVolumeClaim:
    claimName: {{ include "millrace.storageClaim" . }}
{{- if .Values.database.caSecret }}
- name: database-ca
  secret:
    secretName: {{ .Values.database.caSecret }}
    items:
      - { key: {{ .Values.database.caKey | quote }}, path: ca.crt }
{{- end }}
{{- if .Values.kubernetes.clusters }}
- name: clusters
  configMap:
    name: {{ include "millrace.fullname" . }}-clusters
{{- end }}
{{- if .Values.kubernetes.kubeconfigSecret }}
- name: kubeconfigs
  secret:
    secretName: {{ .Values.kubernetes.kubeconfigSecret }}
    # For the group of the pod only.
    defaultMode: 288
{{- end }}
{{- end -}}

{{- define "millrace.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities:
  drop: [ALL]
privileged: false
readOnlyRootFilesystem: true
{{- end -}}

{{/* What the settings of a cluster say of the programs beside its jobs. */}}
{{- define "millrace.jobAgent" -}}
agentImage: {{ .Values.jobs.agentImage | quote }}
{{- if .Values.jobs.agentUrl }}
agentUrl: {{ .Values.jobs.agentUrl | quote }}
{{- else }}
agentUrl: {{ printf "http://%s-api.%s.svc:%v/job-agent" (include "millrace.fullname" .) .Release.Namespace .Values.service.port | quote }}
{{- end }}
agentPeer:
  {{- if .Values.jobs.agentPeer }}
  {{- toYaml .Values.jobs.agentPeer | nindent 2 }}
  {{- else }}
  namespaceSelector:
    matchLabels:
      kubernetes.io/metadata.name: {{ .Release.Namespace }}
  podSelector:
    matchLabels:
      {{- include "millrace.selector" (dict "root" . "component" "api") | nindent 6 }}
  {{- end }}
{{- if .Values.jobs.agentPorts }}
agentPorts: {{ toJson .Values.jobs.agentPorts }}
{{- else if not .Values.jobs.agentUrl }}
# Of the pods behind the Service: network rules speak of these.
agentPorts: [7272]
{{- end }}
{{- end -}}

{{/* Where pods run, and what goes with it: the values of one process. */}}
{{- define "millrace.placement" -}}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
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
{{- end -}}

{{/* Rules of one ClusterRole: what files/permissions.yaml has for a process and is switched on. */}}
{{- define "millrace.rules" -}}
{{- $switches := .root.Values.kubernetes -}}
{{- $process := .process -}}
{{- range (.root.Files.Get "files/permissions.yaml" | fromYaml).rules }}
{{- if and (has $process .for) (or (not .with) (index $switches (default "enabled" .with))) }}
- apiGroups: [{{ .group | quote }}]
  resources: {{ toJson .resources }}
  verbs: {{ toJson (index .verbs $process) }}
{{- end }}
{{- end }}
{{- end -}}
