package release_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"todo.local/magefiles/internal/release"
)

//go:generate go run ./kubeschemas

// kubernetesVersions are those that the charts are for.
var kubernetesVersions = []string{"1.34", "1.35", "1.36", "1.37"}

// validator knows the objects of one Kubernetes version, and the foreign kinds that the charts render.
type validator struct {
	compiler *jsonschema.Compiler
	kinds    map[string]string // definitions, by "apiVersion Kind"
}

func newValidator(t *testing.T, version string) validator {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "kubernetes", version+".json"))
	require.NoError(t, err)
	defer func() { _ = f.Close() }()
	doc, err := jsonschema.UnmarshalJSON(f)
	require.NoError(t, err)
	v := validator{jsonschema.NewCompiler(), map[string]string{}}
	v.compiler.DefaultDraft(jsonschema.Draft7)
	require.NoError(t, v.compiler.AddResource("kubernetes.json", doc))
	for kind, name := range doc.(map[string]any)["kinds"].(map[string]any) {
		v.kinds[kind] = name.(string)
	}
	return v
}

func (v validator) validate(object map[string]any) error {
	kind := fmt.Sprintf("%v %v", object["apiVersion"], object["kind"])
	name, ok := v.kinds[kind]
	if !ok {
		return fmt.Errorf("no schema of %s; write it with: go generate ./magefiles/internal/release", kind)
	}
	s, err := v.compiler.Compile("kubernetes.json#/definitions/" + name)
	if err != nil {
		return err
	}
	raw, err := json.Marshal(object)
	if err != nil {
		return err
	}
	instance, err := jsonschema.UnmarshalJSON(strings.NewReader(string(raw)))
	if err != nil {
		return err
	}
	return s.Validate(instance)
}

// documents renders a chart into plain objects.
func documents(t *testing.T, chart, text string) []map[string]any {
	t.Helper()
	rendered, err := release.Render(chart, "todo", filepath.Join(charts, chart), values(t, text))
	require.NoError(t, err)
	return parsed(t, rendered)
}

func TestEverySupportedKubernetesTakesEveryObject(t *testing.T) {
	for _, version := range kubernetesVersions {
		t.Run(version, func(t *testing.T) {
			v := newValidator(t, version)
			for _, m := range matrix {
				all := documents(t, m.chart, m.values)
				require.NotEmpty(t, all)
				for _, o := range all {
					assert.NoError(t, v.validate(o), "%s/%s: %v %s", m.chart, m.name, o["kind"], (&unstructured.Unstructured{Object: o}).GetName())
				}
			}
		})
	}
}

// TestTheSchemasAreThoseOfTheirVersion takes fields of a pod that came or went: no file is a copy of another.
func TestTheSchemasAreThoseOfTheirVersion(t *testing.T) {
	for field, known := range map[string][]string{
		"workloadRef":        {"1.35"},
		"schedulingGroup":    {"1.36", "1.37"},
		"evictionResponders": {"1.37"},
	} {
		for _, version := range kubernetesVersions {
			err := newValidator(t, version).validate(map[string]any{"apiVersion": "apps/v1", "kind": "StatefulSet",
				"spec": map[string]any{"template": map[string]any{"spec": map[string]any{field: "x"}}}})
			require.Error(t, err) // a string is no value of any of them
			unknown := strings.Contains(err.Error(), "additional properties '"+field+"' not allowed")
			assert.Equal(t, slices.Contains(known, version), !unknown, "%s in %s", field, version)
		}
	}
}

// TestWhatKubernetesWouldRefuseIsFound puts mistakes into objects that are otherwise good.
func TestWhatKubernetesWouldRefuseIsFound(t *testing.T) {
	rendered := map[string][]byte{}
	for _, o := range documents(t, "todo-app", everything) {
		raw, err := json.Marshal(o)
		require.NoError(t, err)
		rendered[o["kind"].(string)] = raw
	}
	container := []string{"spec", "template", "spec", "containers"}
	for name, k := range map[string]struct {
		kind  string
		spoil func(o map[string]any) error
		want  string
	}{
		"a misspelt field": {"Deployment", func(o map[string]any) error {
			return unstructured.SetNestedField(o, int64(2), "spec", "replica")
		}, "additional properties 'replica' not allowed"},
		"a misspelt field in a list": {"Deployment", func(o map[string]any) error {
			return unstructured.SetNestedSlice(o, []any{map[string]any{"name": "a", "imagePullPolcy": "Never"}}, container...)
		}, "additional properties 'imagePullPolcy' not allowed"},
		"a misspelt label": {"Service", func(o map[string]any) error {
			return unstructured.SetNestedField(o, "a", "metadata", "lables")
		}, "additional properties 'lables' not allowed"},
		"a wrong type": {"Deployment", func(o map[string]any) error {
			return unstructured.SetNestedField(o, "two", "spec", "replicas")
		}, "got string, want integer"},
		"a quantity that is none": {"Deployment", func(o map[string]any) error {
			return unstructured.SetNestedSlice(o, []any{map[string]any{"name": "a", "resources": map[string]any{"limits": map[string]any{"memory": "64 MB"}}}}, container...)
		}, "'64 MB' does not match pattern"},
		"a missing field": {"Deployment", func(o map[string]any) error {
			unstructured.RemoveNestedField(o, "spec", "selector")
			return nil
		}, "missing property 'selector'"},
		"a version that is gone": {"HorizontalPodAutoscaler", func(o map[string]any) error {
			return unstructured.SetNestedField(o, "autoscaling/v2beta2", "apiVersion")
		}, "no schema of autoscaling/v2beta2 HorizontalPodAutoscaler"},
		"a misspelt field of the Gateway API": {"HTTPRoute", func(o map[string]any) error {
			return unstructured.SetNestedField(o, "a", "spec", "hostname")
		}, "additional properties 'hostname' not allowed"},
		"a misspelt field of the Prometheus operator": {"ServiceMonitor", func(o map[string]any) error {
			return unstructured.SetNestedField(o, "a", "spec", "endpoint")
		}, "additional properties 'endpoint' not allowed"},
	} {
		t.Run(name, func(t *testing.T) {
			require.NotEmpty(t, rendered[k.kind])
			for _, version := range kubernetesVersions {
				v := newValidator(t, version)
				o := map[string]any{}
				require.NoError(t, json.Unmarshal(rendered[k.kind], &o))
				require.NoError(t, v.validate(o))
				require.NoError(t, k.spoil(o))
				assert.ErrorContains(t, v.validate(o), k.want, version)
			}
		})
	}
}
