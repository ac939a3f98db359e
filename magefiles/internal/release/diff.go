package release

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/pmezard/go-difflib/difflib"
	"helm.sh/helm/v3/pkg/releaseutil"
	"sigs.k8s.io/yaml"
)

// Diff gives what Apply would change of the release's objects, as unified diffs; nothing where it would change none.
// Values of Secrets are not shown, only that they differ.
func (e *Engine) Diff(spec Spec) (string, error) {
	c, err := load(spec.ChartDir, spec.Values)
	if err != nil {
		return "", err
	}
	wanted, err := template(c, spec.Name, e.namespace, spec.Values)
	if err != nil {
		return "", err
	}
	last, err := e.last(spec.Name)
	if err != nil {
		return "", err
	}
	before := ""
	if last != nil {
		before = last.Manifest
	}
	return diff(before, wanted.Manifest, "this checkout")
}

// RollbackDiff gives what Rollback to a revision would change of the release's objects, as Diff does.
func (e *Engine) RollbackDiff(name string, revision int) (string, error) {
	last, err := e.last(name)
	if err != nil {
		return "", err
	}
	if last == nil {
		return "", NotInstalled(name)
	}
	if revision, err = e.target(name, last, revision); err != nil {
		return "", err
	}
	all, err := e.revisions(name)
	if err != nil {
		return "", err
	}
	for _, r := range all {
		if r.Version == revision {
			return diff(last.Manifest, r.Manifest, fmt.Sprintf("revision %d", revision))
		}
	}
	return "", nil // its target was there a moment ago
}

// diff compares what is deployed with what would be, which has a name.
func diff(before, after, name string) (string, error) {
	old, err := objects(before)
	if err != nil {
		return "", err
	}
	now, err := objects(after)
	if err != nil {
		return "", err
	}
	names := map[string]bool{}
	for name := range old {
		names[name] = true
	}
	for name := range now {
		names[name] = true
	}
	var out strings.Builder
	for _, object := range slices.Sorted(maps.Keys(names)) {
		a, b := old[object], now[object]
		conceal(a, b)
		text, err := difflib.GetUnifiedDiffString(difflib.UnifiedDiff{
			A: lines(a), B: lines(b), FromFile: object + " (deployed)", ToFile: object + " (" + name + ")", Context: 3,
		})
		if err != nil {
			return "", err
		}
		out.WriteString(text)
	}
	return out.String(), nil
}

// objects splits a manifest into its objects, by kind and name.
func objects(manifest string) (map[string]map[string]any, error) {
	out := map[string]map[string]any{}
	for _, text := range releaseutil.SplitManifests(manifest) {
		var object map[string]any
		if err := yaml.Unmarshal([]byte(text), &object); err != nil {
			return nil, fmt.Errorf("manifest of the release: %w", err)
		}
		if object == nil {
			continue
		}
		metadata, _ := object["metadata"].(map[string]any)
		out[fmt.Sprintf("%v/%v", object["kind"], metadata["name"])] = object
	}
	return out, nil
}

// conceal replaces the values of a Secret by words that say whether they differ.
func conceal(a, b map[string]any) {
	if a["kind"] != "Secret" && b["kind"] != "Secret" {
		return
	}
	for _, field := range []string{"data", "stringData"} {
		old, _ := a[field].(map[string]any)
		now, _ := b[field].(map[string]any)
		for key := range now {
			if value, had := old[key]; had && value == now[key] {
				old[key], now[key] = "(hidden)", "(hidden)"
				continue
			}
			now[key] = "(hidden, new)"
		}
		for key, value := range old {
			if value != "(hidden)" {
				old[key] = "(hidden, old)"
			}
		}
	}
}

// lines gives an object as YAML, with sorted keys, for comparison.
func lines(object map[string]any) []string {
	if object == nil {
		return nil
	}
	text, err := yaml.Marshal(object)
	if err != nil {
		return []string{err.Error()} // cannot be: it came from YAML
	}
	return difflib.SplitLines(strings.TrimRight(string(text), "\n"))
}
