package app_test

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"todo.local/magefiles/internal/app"
	"todo.local/magefiles/internal/secrets"
)

// file reads a file of the checkout.
func file(t *testing.T, path ...string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(append([]string{"..", "..", ".."}, path...)...))
	require.NoError(t, err)
	return string(raw)
}

// at is what a path leads to in a document of YAML, or nil.
func at(t *testing.T, text string, path ...string) any {
	t.Helper()
	var v any
	require.NoError(t, yaml.Unmarshal([]byte(text), &v))
	for _, name := range path {
		m, _ := v.(map[string]any)
		v = m[name]
	}
	return v
}

func TestRowsAreWhole(t *testing.T) {
	names := app.Names(app.All())
	assert.Len(t, slices.Compact(slices.Sorted(slices.Values(names))), len(names), "two of one name")
	known := []string{secrets.DatabaseURL, secrets.JWTSecret, secrets.OpenAIKey, secrets.SMTPURL, secrets.PostgresPassword}
	for _, s := range app.All() {
		assert.Subset(t, known, s.Secrets, s.Name)
		found, ok := app.Find(s.Name)
		assert.True(t, ok)
		assert.Equal(t, s, found)
		assert.Equal(t, s.Name, app.OfLabel(s.Label()))
	}
	_, ok := app.Find("nothing")
	assert.False(t, ok)
	assert.Contains(t, app.Names(app.Reading()), "backend")
	assert.NotContains(t, app.Names(app.Reading()), "frontend")
	assert.NotContains(t, app.Names(app.Reading()), "postgres", "it is told a new password, and goes on")
	assert.Equal(t, "app in (todo-backend,todo-frontend)", app.Selector(app.Backend, app.Frontend))
}

func TestServicesAreKnownByTheirWords(t *testing.T) {
	for text, want := range map[string][]string{
		"why is the back end slow?": {"backend"}, "restart the apis": {"backend"}, "logs of the web pages": {"frontend"},
		"is the database up?": {"postgres"}, "databases and servers": {"backend", "postgres"}, "rebuild": nil,
	} {
		assert.Equal(t, want, app.Names(slices.DeleteFunc(app.All(), func(s app.Service) bool { return !s.Called(text) })), text)
	}
}

func TestDockerfilesHaveWhatTheTableSays(t *testing.T) {
	for _, s := range app.Built() {
		text := file(t, s.Folder, "Dockerfile")
		assert.Contains(t, text, "ARG "+string(s.Base)+"=", s.Name)
		assert.Contains(t, text, `LABEL org.opencontainers.image.title="`+s.Label()+`"`, s.Name)
		assert.Regexp(t, `(?m)^FROM \S+ AS `+s.Target+`$`, text, s.Name)
		if s.Tests != "" {
			assert.Regexp(t, `(?m)^FROM \S+ AS `+s.Tests+`$`, text, s.Name)
		}
		if s.Develop.Target != "" {
			_, stage, found := strings.Cut(text, " AS "+s.Develop.Target+"\n")
			assert.True(t, found, s.Name)
			paths := slices.DeleteFunc(slices.Clone(s.Develop.Take), func(arg string) bool { return !strings.HasPrefix(arg, "/") })
			for _, path := range slices.AppendSeq(paths, maps.Values(s.Develop.Folders)) {
				assert.Contains(t, stage, path, s.Name)
			}
		}
		assert.Regexp(t, `(?m)^EXPOSE `+strconv.Itoa(s.Port)+`$`, text, s.Name)
	}
}

func TestTheChartHasWhatTheTableSays(t *testing.T) {
	values := file(t, "charts", "todo-app", "values.yaml")
	of := func(s app.Service, path ...string) any {
		if own := at(t, values, append(s.Entry(), path...)...); own != nil {
			return own
		}
		return at(t, values, append([]string{"serviceDefaults"}, path...)...)
	}
	further, _ := at(t, values, "services").(map[string]any)
	entries := []string{"backend", "frontend", "postgres"}
	for name := range further {
		entries = append(entries, name)
	}
	assert.ElementsMatch(t, entries, app.Names(app.All()))
	for _, s := range app.Built() {
		assert.Equal(t, s.Label(), of(s, "image", "repository"), s.Name)
		assert.EqualValues(t, s.Port, of(s, "containerPort"), s.Name)
		for probe, path := range map[string]string{"startup": s.Probes.Startup, "liveness": s.Probes.Liveness, "readiness": s.Probes.Readiness} {
			assert.Equal(t, path, of(s, "probes", probe), s.Name+" "+probe)
		}
		read, _ := of(s, "secrets").([]any)
		var keys []string
		for _, key := range read {
			keys = append(keys, key.(string))
		}
		assert.Equal(t, s.Secrets, keys, s.Name)
	}
}

func TestComposeHasWhatTheTableSays(t *testing.T) {
	compose := file(t, "compose.yaml")
	for _, s := range app.Built() {
		of := func(path ...string) any { return at(t, compose, append([]string{"services", s.Name}, path...)...) }
		assert.Equal(t, s.Folder, of("build", "context"), s.Name)
		assert.Equal(t, s.Target, of("build", "target"), s.Name)
		assert.Equal(t, "${"+app.ComposeVariable(s.Name, "IMAGE")+":-"+s.Label()+":latest}", of("image"), s.Name)
		port := strconv.Itoa(s.Port)
		assert.Equal(t, []any{"127.0.0.1:${" + app.ComposeVariable(s.Name, "PORT") + ":-" + port + "}:" + port}, of("ports"), s.Name)
		for _, key := range s.Secrets {
			assert.Contains(t, of("environment"), key, s.Name)
		}
		for _, path := range slices.Concat(s.Develop.Synced, s.Develop.Built) {
			if slices.Contains([]string{"migrations", "develop", ".npmrc"}, path) {
				continue // another start brings the schema up to date; the others are in no image that runs
			}
			assert.Contains(t, of("develop", "watch"), map[string]any{"action": "rebuild", "path": s.Folder + "/" + path}, s.Name)
		}
	}
	assert.Contains(t, compose, "${"+app.ComposeVariable(app.Postgres.Name, "IMAGE")+":-")
}

// TestAReleasePublishesEveryImage reads the workflow, whose last job takes what the others made.
func TestAReleasePublishesEveryImage(t *testing.T) {
	workflow := file(t, ".github", "workflows", "release.yml")
	jobs, _ := at(t, workflow, "jobs").(map[string]any)
	matrices := 0
	for name := range jobs {
		listed, ok := at(t, workflow, "jobs", name, "strategy", "matrix", "service").([]any)
		if !ok {
			continue
		}
		matrices++
		var names []string
		for _, s := range listed {
			names = append(names, s.(string))
		}
		assert.Equal(t, app.Names(app.Built()), names, name)
	}
	assert.Equal(t, 2, matrices)
	for _, s := range app.Built() {
		assert.Equal(t, s.Name, s.Folder, "the workflow takes the one for the other")
		assert.Equal(t, "runtime", s.Target, "and builds this stage")
	}
}
