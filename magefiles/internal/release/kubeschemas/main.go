// Command kubeschemas writes the JSON schemas that the charts' objects are validated with, one file for each supported
// Kubernetes version. It takes them from Go modules, which the Go proxy serves wherever Go works: what Kubernetes
// itself publishes, and the CustomResourceDefinitions of the two kinds that it does not define.
//
// Run it in the folder of package release: go generate.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// versions are the newest patch of each supported line.
var versions = []string{"v1.34.4", "v1.35.4", "v1.36.3", "v1.37.2"}

// customResources are the definitions of foreign kinds, by module.
var customResources = map[string]string{
	"sigs.k8s.io/gateway-api@v1.6.3":                             "config/crd/standard/gateway.networking.k8s.io_httproutes.yaml",
	"github.com/prometheus-operator/prometheus-operator@v0.85.0": "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml",
}

// bundle is the content of a file.
type bundle struct {
	Kinds       map[string]string `json:"kinds"` // from "apiVersion Kind" to the name of a definition
	Definitions map[string]schema `json:"definitions"`
}

type schema = map[string]any

func main() {
	log.SetFlags(0)
	if err := write(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func write(ctx context.Context) error {
	kinds, err := rendered("testdata/golden")
	if err != nil {
		return err
	}
	custom, err := customDefinitions(ctx)
	if err != nil {
		return err
	}
	for _, v := range versions {
		all, err := kubernetesDefinitions(ctx, v)
		if err != nil {
			return err
		}
		maps.Copy(all.Kinds, custom.Kinds)
		maps.Copy(all.Definitions, custom.Definitions)
		b, err := all.only(kinds)
		if err != nil {
			return fmt.Errorf("%s: %w", v, err)
		}
		line := strings.Join(strings.Split(strings.TrimPrefix(v, "v"), ".")[:2], ".")
		if err := save(filepath.Join("testdata", "kubernetes", line+".json"), b); err != nil {
			return err
		}
	}
	return nil
}

// rendered lists the kinds in the golden files.
func rendered(dir string) ([]string, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*", "*.yaml"))
	if err != nil || len(files) == 0 {
		return nil, errors.Join(err, fmt.Errorf("%d golden files in %s", len(files), dir))
	}
	found := map[string]bool{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			return nil, err
		}
		for doc := range strings.SplitSeq(string(text), "\n---\n") {
			var o struct{ APIVersion, Kind string }
			if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
				return nil, fmt.Errorf("%s: %w", f, err)
			}
			if o.Kind != "" {
				found[o.APIVersion+" "+o.Kind] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found)), nil
}

// read gives a file of a module.
func read(ctx context.Context, module, path string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", module)
	cmd.Dir = os.TempDir() // outside of this module, whose go.sum stays as it is
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("download %s: %w: %s", module, err, out)
	}
	var answer struct{ Dir string }
	if err := json.Unmarshal(out, &answer); err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(answer.Dir, path))
}

func kubernetesDefinitions(ctx context.Context, version string) (bundle, error) {
	raw, err := read(ctx, "k8s.io/kubernetes@"+version, "api/openapi-spec/swagger.json")
	if err != nil {
		return bundle{}, err
	}
	var doc struct{ Definitions map[string]schema }
	if err := json.Unmarshal(raw, &doc); err != nil {
		return bundle{}, err
	}
	b := bundle{Kinds: map[string]string{}, Definitions: map[string]schema{}}
	for name, s := range doc.Definitions {
		// What many kinds share, such as DeleteOptions, carries several.
		if ids, _ := s["x-kubernetes-group-version-kind"].([]any); len(ids) == 1 {
			id := ids[0].(map[string]any)
			b.Kinds[kindName(id["group"].(string), id["version"].(string), id["kind"].(string))] = name
		}
		b.Definitions[name] = tidy(s)
	}
	b.Definitions["io.k8s.apimachinery.pkg.api.resource.Quantity"] = quantity
	return b, nil
}

func customDefinitions(ctx context.Context) (bundle, error) {
	b := bundle{Kinds: map[string]string{}, Definitions: map[string]schema{}}
	for module, path := range customResources {
		raw, err := read(ctx, module, path)
		if err != nil {
			return b, err
		}
		var crd struct {
			Spec struct {
				Group    string
				Names    struct{ Kind string }
				Versions []struct {
					Name   string
					Schema struct{ OpenAPIV3Schema schema }
				}
			}
		}
		if err := yaml.Unmarshal(raw, &crd); err != nil {
			return b, fmt.Errorf("%s: %w", path, err)
		}
		for _, v := range crd.Spec.Versions {
			name := crd.Spec.Group + "." + v.Name + "." + crd.Spec.Names.Kind
			b.Kinds[kindName(crd.Spec.Group, v.Name, crd.Spec.Names.Kind)] = name
			s := tidy(v.Schema.OpenAPIV3Schema)
			s["properties"].(schema)["metadata"] = schema{"$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"}
			b.Definitions[name] = s
		}
	}
	return b, nil
}

func kindName(group, version, kind string) string {
	return strings.TrimPrefix(group+"/"+version+" "+kind, "/")
}

// only keeps what some kinds need.
func (b bundle) only(kinds []string) (bundle, error) {
	out := bundle{Kinds: map[string]string{}, Definitions: map[string]schema{}}
	var keep func(name string) error
	keep = func(name string) error {
		if out.Definitions[name] != nil {
			return nil
		}
		if b.Definitions[name] == nil {
			return fmt.Errorf("no definition %q", name)
		}
		out.Definitions[name] = b.Definitions[name]
		return references(b.Definitions[name], keep)
	}
	for _, k := range kinds {
		if b.Kinds[k] == "" {
			return out, fmt.Errorf("nothing defines %s", k)
		}
		out.Kinds[k] = b.Kinds[k]
		if err := keep(b.Kinds[k]); err != nil {
			return out, err
		}
	}
	return out, nil
}

func save(path string, b bundle) error {
	raw, err := json.Marshal(b) // sorts keys
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, append(raw, '\n'), 0o644)
}
