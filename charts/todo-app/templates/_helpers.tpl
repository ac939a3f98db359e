{{/* Every name in this chart is fixed, as other parts of the system address them: one release to a namespace. */}}

{{- define "todo-app.namespace" -}}
{{- .Values.namespace | default .Release.Namespace -}}
{{- end -}}

{{/* Labels that never change: those a selector uses. Argument: (list $ component). */}}
{{- define "todo-app.selectorLabels" -}}
app.kubernetes.io/name: {{ (index . 0).Chart.Name }}
app.kubernetes.io/instance: {{ (index . 0).Release.Name }}
app.kubernetes.io/component: {{ index . 1 }}
{{- end -}}

{{/* Labels of a pod of a component. They leave out the chart's version, which would restart pods that have not changed. */}}
{{- define "todo-app.podLabels" -}}
app: todo-{{ index . 1 }}
{{ include "todo-app.selectorLabels" . }}
app.kubernetes.io/part-of: {{ (index . 0).Chart.Name }}
{{- end -}}

{{/* Labels of an object of a component. */}}
{{- define "todo-app.labels" -}}
{{- $root := index . 0 -}}
{{ include "todo-app.podLabels" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/*
The services by name, as JSON: what an entry does not say is as in serviceDefaults.
*/}}
{{- define "todo-app.services" -}}
{{- $all := dict -}}
{{- range $name, $own := merge (dict "backend" .Values.backend "frontend" .Values.frontend) .Values.services -}}
  {{- $service := mergeOverwrite (deepCopy $.Values.serviceDefaults) (deepCopy $own) -}}
  {{- if not $service.service.port -}}
    {{- $_ := set $service.service "port" $service.containerPort -}}
  {{- end -}}
  {{- if and $service.path (not $service.containerPort) -}}
    {{- fail (printf "service %s has a path, and no containerPort that it could lead to" $name) -}}
  {{- end -}}
  {{- $_ := set $all $name $service -}}
{{- end -}}
{{- range $name, $service := $all -}}
  {{- range $service.calls -}}
    {{- if not (dig . "containerPort" 0 $all) -}}
      {{- fail (printf "service %s calls %s, and no service of that name listens" $name .) -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- toJson $all -}}
{{- end -}}

{{/* Reference of an image, from a map with repository, tag and digest. */}}
{{- define "todo-app.image" -}}
{{- if .digest -}}
{{ .repository }}@{{ .digest }}
{{- else -}}
{{ .repository }}:{{ .tag }}
{{- end -}}
{{- end -}}

{{- define "todo-app.postgresEnabled" -}}
{{- if and .Values.postgres.enabled (or .Values.secrets.existingSecret (not .Values.secrets.databaseUrl)) -}}true{{- end -}}
{{- end -}}

{{- define "todo-app.secretName" -}}
{{- .Values.secrets.existingSecret | default "app-secrets" -}}
{{- end -}}

{{/*
The data of the chart's own Secret as JSON, not encoded. What is generated is generated once a rendering, so that the
Secret and the checksum on the pods agree, and read back from the cluster after that.
*/}}
{{- define "todo-app.secretData" -}}
{{- if not (hasKey .Values "renderedSecretData") -}}
  {{- $kept := (lookup "v1" "Secret" (include "todo-app.namespace" .) "app-secrets").data | default dict -}}
  {{- $data := dict -}}
  {{- if .Values.secrets.jwtSecret -}}
    {{- $_ := set $data "JWT_SECRET" .Values.secrets.jwtSecret -}}
  {{- else -}}
    {{- $_ := set $data "JWT_SECRET" (get $kept "JWT_SECRET" | b64dec | default (randAlphaNum 48)) -}}
  {{- end -}}
  {{- $password := get $kept "POSTGRES_PASSWORD" | b64dec -}}
  {{- if and (not $password) (include "todo-app.postgresEnabled" .) -}}
    {{- $password = randAlphaNum 32 -}}
  {{- end -}}
  {{- if $password -}}{{- $_ := set $data "POSTGRES_PASSWORD" $password -}}{{- end -}}
  {{- if .Values.secrets.databaseUrl -}}
    {{- if not (regexMatch "^postgres(ql)?([+]psycopg)?://." .Values.secrets.databaseUrl) -}}
      {{- fail "secrets.databaseUrl must begin with postgresql://" -}}
    {{- end -}}
    {{- $_ := set $data "DATABASE_URL" .Values.secrets.databaseUrl -}}
  {{- else if include "todo-app.postgresEnabled" . -}}
    {{- $_ := set $data "DATABASE_URL" (printf "postgresql://todo:%s@postgres-svc:5432/todo" $password) -}}
  {{- else -}}
    {{- fail "set secrets.databaseUrl or secrets.existingSecret, or leave postgres.enabled true" -}}
  {{- end -}}
  {{- if .Values.secrets.openaiApiKey -}}{{- $_ := set $data "OPENAI_API_KEY" .Values.secrets.openaiApiKey -}}{{- end -}}
  {{- if .Values.secrets.smtpUrl -}}{{- $_ := set $data "SMTP_URL" .Values.secrets.smtpUrl -}}{{- end -}}
  {{- $_ := set .Values "renderedSecretData" $data -}}
{{- end -}}
{{- toJson .Values.renderedSecretData -}}
{{- end -}}

{{/* What changes when the Secret does. The signing key in it keeps the digest from being guessed. */}}
{{- define "todo-app.secretChecksum" -}}
{{- if .Values.secrets.existingSecret -}}
{{- .Values.secrets.checksum -}}
{{- else -}}
{{- include "todo-app.secretData" . | sha256sum | trunc 32 -}}
{{- end -}}
{{- end -}}

{{/* Security contexts that satisfy the Pod Security level "restricted". Argument: the user and group ID. */}}
{{- define "todo-app.podSecurityContext" -}}
runAsNonRoot: true
runAsUser: {{ . }}
runAsGroup: {{ . }}
fsGroup: {{ . }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- define "todo-app.containerSecurityContext" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities:
  drop: [ALL]
{{- end -}}

{{/*
Where the pods of a Deployment run, where there are several nodes. Pods of another revision do not count. Argument:
(list $ component).
*/}}
{{- define "todo-app.placement" -}}
{{- $self := . -}}
{{- with index . 0 -}}
{{- if .Values.topologySpread.enabled -}}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname # no zone: nodes without one would then not be told apart at all
    whenUnsatisfiable: ScheduleAnyway
    {{- include "todo-app.sameRevision" $self | nindent 4 }}
{{- end }}
{{- if .Values.antiAffinity.enabled }}
affinity:
  podAntiAffinity:
    {{- if .Values.antiAffinity.required }}
    requiredDuringSchedulingIgnoredDuringExecution:
      - topologyKey: kubernetes.io/hostname
        {{- include "todo-app.sameRevision" $self | nindent 8 }}
    {{- end }}
    preferredDuringSchedulingIgnoredDuringExecution:
      {{- range ternary (list "topology.kubernetes.io/zone") (list "kubernetes.io/hostname" "topology.kubernetes.io/zone") .Values.antiAffinity.required }}
      - weight: 50
        podAffinityTerm:
          topologyKey: {{ . }}
          {{- include "todo-app.sameRevision" $self | nindent 10 }}
      {{- end }}
{{- end }}
{{- end -}}
{{- end -}}

{{- define "todo-app.sameRevision" -}}
labelSelector:
  matchLabels:
    {{- include "todo-app.selectorLabels" . | nindent 4 }}
matchLabelKeys: [pod-template-hash]
{{- end -}}

{{/* Where an administrator wants pods. Argument: a service, or postgres. */}}
{{- define "todo-app.scheduling" -}}
{{- with .nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end -}}

{{/* What all containers of a service have in common. Argument: (list $ service secrets env). */}}
{{- define "todo-app.container" -}}
{{- $root := index . 0 -}}
{{- $service := index . 1 -}}
{{- $variables := list -}}
{{- range $key := index . 2 -}}
  {{- $ref := dict "name" (include "todo-app.secretName" $root) "key" $key -}}
  {{- if has $key (list "OPENAI_API_KEY" "SMTP_URL") -}}{{- $_ := set $ref "optional" true -}}{{- end -}}
  {{- $variables = append $variables (dict "name" $key "valueFrom" (dict "secretKeyRef" $ref)) -}}
{{- end -}}
{{- range $key, $template := index . 3 -}}
  {{- $variables = append $variables (dict "name" $key "value" (tpl $template $root)) -}}
{{- end -}}
image: {{ include "todo-app.image" $service.image | quote }}
imagePullPolicy: {{ $service.image.pullPolicy }}
{{- if or $service.appConfig $service.envFrom }}
envFrom:
  {{- if $service.appConfig }}
  - configMapRef:
      name: app-config
  {{- end }}
  {{- with $service.envFrom }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}
{{- with concat $variables ($service.extraEnv | default list) }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
resources:
  {{- toYaml $service.resources | nindent 2 }}
securityContext:
  {{- include "todo-app.containerSecurityContext" $root | nindent 2 }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
  {{- range $name, $folder := $service.folders }}
  - name: {{ $name }}
    mountPath: {{ $folder.path }}
  {{- end }}
  {{- with $service.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{/* The pods of a namespace, in a network policy. Argument: its name. */}}
{{- define "todo-app.namespacePeer" -}}
{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: {{ . | quote }}}}}
{{- end -}}

{{/* The pods of a component, in a network policy. Argument: (list $ component). */}}
{{- define "todo-app.componentPeer" -}}
{podSelector: {matchLabels: {{ include "todo-app.selectorLabels" . | fromYaml | toJson }}}}
{{- end -}}

{{/* The way to the DNS server, in a network policy. */}}
{{- define "todo-app.dns" -}}
{{- with .Values.networkPolicy.dns -}}
- ports: [{port: {{ .port }}, protocol: UDP}, {port: {{ .port }}, protocol: TCP}]
  {{- if or .namespace .addresses }}
  to:
    {{- with .namespace }}
    - {{ include "todo-app.namespacePeer" . }}
    {{- end }}
    {{- range .addresses }}
    - {ipBlock: {cidr: {{ . | quote }}}}
    {{- end }}
  {{- end }}
{{- end -}}
{{- end -}}

{{/* Port of the chat's model. */}}
{{- define "todo-app.modelPort" -}}
{{- $url := urlParse (.Values.config.openaiBaseUrl | default "https://api.openai.com") -}}
{{- regexFind ":[0-9]+$" $url.host | trimPrefix ":" | default (eq $url.scheme "http" | ternary "80" "443") -}}
{{- end -}}

{{/* The hosts served, as a JSON list. */}}
{{- define "todo-app.hosts" -}}
{{- prepend .Values.ingress.extraHosts .Values.ingress.host | uniq | toJson -}}
{{- end -}}
