package release_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/pmezard/go-difflib/difflib"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"todo.local/magefiles/internal/release"
)

var update = flag.Bool("update", false, "write what the charts render now into testdata/golden")

const charts = "../../../charts"

// given are values of the chart's Secret, which would otherwise be generated and differ every time.
const given = `
secrets: {jwtSecret: 0123456789abcdef0123456789abcdef, databaseUrl: "postgresql://u:p@db.example.com/todo"}
`

// everything turns on what can be.
const everything = `
imagePullSecrets: [{name: registry-login}]
backend:
  extraEnv: [{name: TZ, value: UTC}, {name: PROXY, valueFrom: {secretKeyRef: {name: proxy, key: url}}}]
  autoscaling: {enabled: true, maxReplicas: 9}
frontend: {autoscaling: {enabled: true}}
ingress: {tls: {enabled: true, secretName: certificate}, annotations: {example.com/a: b}}
httpRoute: {enabled: true, parentRefs: [{name: public, namespace: gateways}]}
antiAffinity: {required: true}
networkPolicy: {enabled: true}
serviceMonitor: {enabled: true, labels: {release: prometheus}}
aiAccess: {enabled: true}
secrets: {existingSecret: app-secrets}`

// further has two services more, and what administrators want of pods.
const further = `
backend: {image: {tag: "1.0"}}
frontend: {image: {tag: "1.0"}}
services:
  reports:
    image: {repository: example.com/todo-reports, tag: "1.0"}
    replicas: 3
    containerPort: 8080
    service: {type: NodePort, annotations: {example.com/a: b}}
    path: /reports
    probes: {startup: /up, liveness: /up, readiness: /ready}
    metricsPath: /stats
    calls: [backend]
    secrets: [DATABASE_URL, SMTP_PASSWORD]
    appConfig: true
    env: {BACKEND_URL: "http://backend-svc:{{ .Values.backend.service.port }}"}
    extraEnv: [{name: TZ, value: UTC}]
    envFrom: [{configMapRef: {name: reports}}]
    init: {templates: {command: [fetch, templates]}}
    folders: {drafts: {path: /drafts, sizeLimit: 32Mi}}
    runAsUser: 20001
    drainSeconds: 0
    autoscaling: {enabled: true, maxReplicas: 4}
    resources: &small
      requests: {memory: 64Mi, cpu: 50m, ephemeral-storage: 16Mi}
      limits: {memory: 128Mi, cpu: 500m, ephemeral-storage: 64Mi}
    serviceAccount: {annotations: {example.com/role: reports}}
  worker:
    image: {repository: example.com/todo-worker, digest: "sha256:2222222222222222222222222222222222222222222222222222222222222222"}
    resources: *small
serviceDefaults:
  podAnnotations: {example.com/a: b}
  podLabels: {team: todo}
  nodeSelector: {pool: apps}
  tolerations: [{key: apps, operator: Exists}]
  priorityClassName: apps
  extraVolumes: [{name: authorities, configMap: {name: authorities}}]
  extraVolumeMounts: [{name: authorities, mountPath: /etc/authorities, readOnly: true}]
postgres:
  storage: {existingClaim: todo-data}
  serviceAccount: {annotations: {example.com/role: database}}
  podAnnotations: {example.com/a: b}
  podLabels: {team: data}
  nodeSelector: {pool: data}
  tolerations: [{key: data, operator: Exists}]
  priorityClassName: data
networkPolicy: {enabled: true, dns: {namespace: openshift-dns, port: 5353, addresses: [169.254.20.10/32]}}
serviceMonitor: {enabled: true}
secrets: {existingSecret: app-secrets}`

// specified are the values of the plan's section 4 as they stand there, and what its script sets.
const specified = `
namespace: todo
backend:
  image: {repository: todo-backend, tag: latest, pullPolicy: IfNotPresent}
  replicas: 2
  resources: {requests: {memory: 256Mi, cpu: 200m}, limits: {memory: 512Mi, cpu: 500m}}
  service: {port: 8000}
frontend:
  image: {repository: todo-frontend, tag: latest, pullPolicy: IfNotPresent}
  replicas: 2
  resources: {requests: {memory: 128Mi, cpu: 100m}, limits: {memory: 256Mi, cpu: 250m}}
  service: {port: 3000}
ingress: {enabled: true, host: todo.local, annotations: {kubernetes.io/ingress.class: nginx}}
secrets: {databaseUrl: "postgresql://u:p@db.example.com/todo", jwtSecret: 0123456789abcdef0123456789abcdef, openaiApiKey: sk-1}`

// development are the values that come with the chart.
var development = func() string {
	text, err := os.ReadFile(filepath.Join(charts, "todo-app", "values-dev.yaml"))
	if err != nil {
		panic(err)
	}
	return string(text) + given
}()

var matrix = []struct{ chart, name, values string }{
	{"todo-app", "external-database", given},
	{"todo-app", "existing-secret", `
secrets: {existingSecret: app-secrets, checksum: "1"}`},
	{"todo-app", "mage", `
backend: {image: {repository: todo-backend, tag: abc123, pullPolicy: Never}}
frontend: {image: {repository: todo-frontend, tag: "", digest: "sha256:` + strings.Repeat("0", 64) + `"}, apiUrl: "https://api.example.com"}
postgres: {image: {repository: todo-base-postgres, tag: "15", pullPolicy: Never}, storage: {size: 2Gi, className: standard}}
config: {logLevel: DEBUG, openaiBaseUrl: "http://models:8080/v1", openaiModel: small}
ingress: {host: todo.example.com}
secrets: {existingSecret: app-secrets, checksum: "1"}`},
	{"todo-app", "specification", specified},
	{"todo-app", "development", development},
	{"todo-app", "everything", everything},
	{"todo-app", "further-services", further},
	{"todo-app", "bare", `
namespace: ""
ingress: {enabled: false}
topologySpread: {enabled: false}
antiAffinity: {enabled: false}
podDisruptionBudget: {enabled: false}` + given},
	{"todo-app", "gateway", `
namespace: elsewhere
ingress: {enabled: false}
httpRoute: {enabled: true, parentRefs: [{name: public, sectionName: http, port: 80}]}
networkPolicy: {enabled: true, ingressNamespace: gateways, databasePort: 6543}
config: {openaiBaseUrl: "http://models.example.com:8080/v1"}
postgres: {enabled: false}
secrets: {existingSecret: mine}`},
	{"ingress", "default", ``},
	{"ingress", "node", `
image: {repository: registry.example.com/traefik, tag: "", digest: "sha256:` + strings.Repeat("1", 64) + `"}
nodeSelector: {ingress-ready: "true"}
hostPorts: {http: 8080, https: 8443}`},
	{"metrics-server", "default", ``},
}

func values(t *testing.T, text string) map[string]any {
	t.Helper()
	out := map[string]any{}
	require.NoError(t, yaml.Unmarshal([]byte(text), &out))
	return out
}

func TestGolden(t *testing.T) {
	for _, m := range matrix {
		t.Run(m.chart+"/"+m.name, func(t *testing.T) {
			dir := filepath.Join(charts, m.chart)
			assert.Empty(t, release.Lint(dir, values(t, m.values)))
			got, err := release.Render(m.chart, "todo", dir, values(t, m.values))
			require.NoError(t, err)

			path := filepath.Join("testdata", "golden", m.chart, m.name+".yaml")
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err, "write it with: go test ./magefiles/internal/release -run Golden -update")
			assertSame(t, "rendered", string(want), got)
		})
	}
}

// assertSame shows how a text differs from the golden one.
func assertSame(t *testing.T, name, want, got string) {
	t.Helper()
	diff, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{A: difflib.SplitLines(want), B: difflib.SplitLines(got), FromFile: "golden", ToFile: name, Context: 3})
	require.NoError(t, err)
	assert.Empty(t, diff)
}
