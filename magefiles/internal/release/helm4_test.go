package release_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"todo.local/magefiles/internal/release/helmcli"
)

var helm4Program = sync.OnceValues(func() (string, error) {
	return helmcli.Program(context.Background(), filepath.Join("..", "..", ".."))
})

// helm4 runs Helm 4 and gives its output. No cluster is asked.
func helm4(t *testing.T, args ...string) (string, error) {
	t.Helper()
	program, err := helm4Program()
	require.NoError(t, err)
	return helmcli.Run(t.Context(), program, "", "", args...)
}

// folder gives the absolute path of a chart.
func folder(t *testing.T, chart string) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join(charts, chart))
	require.NoError(t, err)
	return dir
}

// written puts values into a file.
func written(t *testing.T, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "values.yaml")
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// TestHelm4MakesTheSameOfTheCharts compares with the golden files, which Helm 3 wrote: every object, and their order.
func TestHelm4MakesTheSameOfTheCharts(t *testing.T) {
	for _, m := range matrix {
		t.Run(m.chart+"/"+m.name, func(t *testing.T) {
			of := []string{folder(t, m.chart), "--values", written(t, m.values)}
			out, err := helm4(t, append([]string{"lint", "--strict"}, of...)...)
			require.NoError(t, err, out)
			out, err = helm4(t, append([]string{"template", m.chart, "--namespace", "todo", "--kube-version", "1.37.0"}, of...)...)
			require.NoError(t, err, out)
			golden, err := os.ReadFile(filepath.Join("testdata", "golden", m.chart, m.name+".yaml"))
			require.NoError(t, err)
			assertSame(t, "Helm 4", inOneForm(t, string(golden)), inOneForm(t, out))
		})
	}
}

// inOneForm writes the objects of a stream anew: the two versions differ in empty lines.
func inOneForm(t *testing.T, stream string) string {
	t.Helper()
	raw, err := yaml.Marshal(parsed(t, stream))
	require.NoError(t, err)
	return string(raw)
}

// parsed gives the objects in a stream of YAML.
func parsed(t *testing.T, stream string) []map[string]any {
	t.Helper()
	var out []map[string]any
	for doc := range strings.SplitSeq(stream, "\n---\n") {
		o := map[string]any{}
		require.NoError(t, yaml.UnmarshalStrict([]byte(doc+"\n"), &o), doc)
		if len(o) > 0 {
			out = append(out, o)
		}
	}
	return out
}

func TestHelm4PackagesTheChartAndNamesMistakes(t *testing.T) {
	out, err := helm4(t, "package", folder(t, "todo-app"), "--destination", t.TempDir())
	require.NoError(t, err, out)
	assert.Contains(t, out, "todo-app-")

	out, err = helm4(t, "template", folder(t, "todo-app"), "--set", "backend.replicas=many,backend.service=null,fronted.replicas=1")
	require.Error(t, err)
	assert.Contains(t, out, "at '/backend/replicas': got string, want integer")
	assert.Contains(t, out, "at '/backend': missing property 'service'")
	assert.Contains(t, out, "additional properties 'fronted' not allowed")
}

// TestTheNotesSayWhatToDoNext installs as far as that goes without a cluster.
func TestTheNotesSayWhatToDoNext(t *testing.T) {
	for text, want := range map[string][]string{
		`namespace: ""`:                   {"helm -n todo test todo-app", "http://todo.local/ or http://todo.localhost/", "persistentvolumeclaim/data-postgres-0 secret/app-secrets"},
		`ingress: {tls: {enabled: true}}`: {"https://todo.local/ or https://todo.localhost/"},
		`{ingress: {enabled: false}, httpRoute: {enabled: true, parentRefs: [{name: public}]}}`: {"todo.local or todo.localhost at the gateway's address", "get httproute todo-app"},
		`ingress: {enabled: false}` + given:                                                     {"port-forward service/frontend-svc 3000:3000"},
	} {
		out, err := helm4(t, "install", "todo-app", folder(t, "todo-app"), "--namespace", "todo", "--dry-run=client", "--values", written(t, text))
		require.NoError(t, err, out)
		_, notes, _ := strings.Cut(out, "\nNOTES:\n")
		for _, line := range want {
			assert.Contains(t, notes, line)
		}
		assert.Equal(t, !strings.Contains(text, "databaseUrl"), strings.Contains(notes, "persistentvolumeclaim"))
	}
}
